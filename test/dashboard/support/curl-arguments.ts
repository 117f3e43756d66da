import { execFileSync } from 'node:child_process'

/** The arguments of curl after a shell has parsed `line`; a function replaces curl. */
export const curlArguments = (line: string, variables: Readonly<Record<string, string>> = {}): string[] => {
  const script = `curl() { printf '%s\\0' "$@"; }\n${line}`
  const env = { PATH: process.env.PATH, ...variables }
  return execFileSync('sh', ['-c', script], { encoding: 'utf8', env }).split('\0').slice(0, -1)
}
