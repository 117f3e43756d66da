/** Structured log lines. Never pass a secret: mask it first. */
export interface Logger {
  /** False: debug lines go nowhere, so that there is no need to put them together. */
  readonly isDebugOn?: boolean
  debug(message: string, fields?: Readonly<Record<string, unknown>>): void
  info(message: string, fields?: Readonly<Record<string, unknown>>): void
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void
  error(message: string, fields?: Readonly<Record<string, unknown>>): void
}

export const silentLogger: Logger = { isDebugOn: false, debug() {}, info() {}, warn() {}, error() {} }
