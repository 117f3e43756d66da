import type { SettingKind } from './setting-kinds.ts'
import { Mistake } from './setting-kinds.ts'

export type Environment = Readonly<Record<string, string | undefined>>

/** Reads settings one by one and gathers what is wrong with them. */
export interface SettingsReader {
  /** The setting, or `fallback` where it is not set (or empty), or wrong. */
  read<T, F>(name: string, kind: SettingKind<T>, fallback: F): T | F
  /** Adds a mistake that concerns more than one setting. */
  mistake(sentence: string): void
  mistakes(): readonly string[]
}

/** Settings that cannot be used; the message names every mistake. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError'
  readonly mistakes: readonly string[]

  constructor(mistakes: readonly string[]) {
    super(mistakes.join('; '))
    this.mistakes = mistakes
  }
}

export const createSettingsReader = (environment: Environment): SettingsReader => {
  const found: string[] = []
  return {
    read(name, kind, fallback) {
      const value = environment[name]
      if (value === undefined || value === '') return fallback
      try {
        return kind(value)
      } catch (error) {
        if (!(error instanceof Mistake)) throw error
        found.push(`${name} must ${error.message}`)
        return fallback
      }
    },
    mistake(sentence) {
      found.push(sentence)
    },
    mistakes: () => found,
  }
}
