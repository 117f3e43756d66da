import { readFileSync } from 'node:fs'

/** Set by the bundler: a bundle that imported package.json would hold all of it. */
declare const ZAEL_VERSION: string | undefined

const fromPackage = (): string => {
  const { version }: { version: string } = JSON.parse(
    readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
  )
  return version
}

/** The version of this package, as in package.json. */
export const version = typeof ZAEL_VERSION === 'string' ? ZAEL_VERSION : fromPackage()
