/** A stream that the program writes to. */
export interface Output {
  write(text: string): unknown
  /** Present and true if it is a terminal. */
  readonly isTTY?: boolean | undefined
  /** The size of the terminal. */
  readonly columns?: number | undefined
  readonly rows?: number | undefined
}

/** The stream that the program reads from. */
export interface Input extends AsyncIterable<string | Uint8Array> {
  readonly isTTY?: boolean | undefined
}

/** What the program uses of its process; tests run it without one. */
export interface Host {
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly stdout: Output
  readonly stderr: Output
  readonly stdin: Input
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>
  /** The text of a file. Rejects with the system's error. */
  readonly readFile: (path: string) => Promise<string>
  /** Prints a question on the terminal and returns the line that is typed. */
  readonly ask: (question: string) => Promise<string>
  /** Wall clock, ms since the epoch. */
  readonly nowMs: () => number
  /** Resolves after a time, or once the signal is aborted. */
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>
  /** A signal that Ctrl-C aborts, for commands that run until then. From the first call on it does not end the process. */
  readonly stopSignal: () => AbortSignal
}

/** The text of a stream until its end, at most `mostBytes`; undefined if it is longer. */
export const textOf = async (input: Input, mostBytes: number): Promise<string | undefined> => {
  const parts: Buffer[] = []
  let bytes = 0
  for await (const part of input) {
    parts.push(Buffer.from(part))
    bytes += Buffer.byteLength(part)
    if (bytes > mostBytes) return undefined
  }
  return Buffer.concat(parts).toString('utf8')
}
