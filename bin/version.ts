import { readFileSync } from 'node:fs'

/** Set by the bundlers of deployed and published programs: the version. */
declare const ZAEL_VERSION: string | undefined

/** Whether this is a bundle for another machine, which has its files beside it, and not the repository's sources. */
export const isBundled = typeof ZAEL_VERSION === 'string'

/** The version of a bundle; else that of the repository. */
export const zaelVersion = (): string => {
  if (typeof ZAEL_VERSION === 'string') return ZAEL_VERSION
  const { version }: { version: string } = JSON.parse(
    readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
  )
  return version
}
