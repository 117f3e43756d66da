import { Mistake, type SettingKind } from './kinds.ts'

export type Environment = Readonly<Record<string, string | undefined>>

/** One environment variable. */
export interface Setting<T> {
  readonly name: string
  /** The default, as it would be written in the environment; null: none. */
  readonly defaultText: string | null
  /** The value of a text; null: not set. Throws `Mistake`. */
  parse(text: string | null): T
}

/** A setting with a default. */
export const setting = <T>(name: string, kind: SettingKind<T>, defaultText: string): Setting<T> => ({
  name,
  defaultText,
  parse: (text) => kind(text ?? defaultText),
})

/** A setting that is null unless it is set. */
export const optional = <T>(name: string, kind: SettingKind<T>): Setting<T | null> => ({
  name,
  defaultText: null,
  parse: (text) => (text === null ? null : kind(text)),
})

/** Reads settings one by one and collects what is wrong with them. */
export interface SettingsReader {
  /** The value, or the default where it is not set (or empty), or wrong. */
  read<T>(setting: Setting<T>): T
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
    read({ name, parse }) {
      try {
        return parse(environment[name] || null)
      } catch (error) {
        if (!(error instanceof Mistake)) throw error
        found.push(`${name} must ${error.message}`)
        return parse(null)
      }
    },
    mistake(sentence) {
      found.push(sentence)
    },
    mistakes: () => found,
  }
}
