import { inspect } from 'node:util'
import type { Logger } from '../core/ports/platform.ts'

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

const shown = (value: unknown): string => {
  if (typeof value === 'string') return JSON.stringify(value)
  if (value instanceof Error) return JSON.stringify(value.message)
  return inspect(value, { breakLength: Number.POSITIVE_INFINITY, depth: 4 })
}

/** `12:00:00.000 warn  the message  field=value other="a text"` */
const line = (level: LogLevel, message: string, fields: Readonly<Record<string, unknown>> = {}): string => {
  const time = new Date().toISOString().slice(11, 23)
  const rest = Object.entries(fields).map(([name, value]) => `  ${name}=${shown(value)}`)
  return `${time} ${level.padEnd(5)} ${message}${rest.join('')}`
}

/** `console.error` writes to stderr too, in runtimes without `process`. */
const writeToStderr = (text: string): void => {
  const stderr = globalThis.process?.stderr
  if (stderr) stderr.write(`${text}\n`)
  else console.error(text)
}

/** Readable lines on stderr, of level `lowest` and above: stdout is for the output of commands. */
export const createConsoleLogger = (
  lowest: LogLevel,
  write: (line: string) => void = writeToStderr,
): Logger => {
  const at =
    (level: LogLevel): Logger['info'] =>
    (message, fields) => {
      if (LOG_LEVELS.indexOf(level) >= LOG_LEVELS.indexOf(lowest)) write(line(level, message, fields))
    }
  return {
    isDebugOn: lowest === 'debug',
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
  }
}
