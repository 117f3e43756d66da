import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)

interface LevelModule {
  readonly ClassicLevel: new (path: string, options: object) => object
}

/**
 * A database in a directory, in place of the package `level` of dynalite where zael is installed as a package: a binary cannot be
 * part of the bundle, and only DATA_DIR needs it. It is called with `new`. Throws if `classic-level` is not installed too.
 */
export function Level(path: string, options: object): object {
  const { ClassicLevel } = levelModule()
  return new ClassicLevel(path, options)
}

const levelModule = (): LevelModule => {
  try {
    return require('classic-level')
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'MODULE_NOT_FOUND')) throw error
    throw new Error('it needs the package classic-level: npm install classic-level@3')
  }
}
