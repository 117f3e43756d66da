/** Reads one setting's text. Throws `Mistake`. */
export type SettingKind<T> = (text: string) => T

/** What is wrong with a setting: it completes the sentence "PORT must …". */
export class Mistake extends Error {
  override readonly name = 'Mistake'
}

/** A whole number from `low` to `high`, both included. */
export const integer =
  (low: number, high: number): SettingKind<number> =>
  (text) => {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN
    if (!(value >= low && value <= high)) throw new Mistake(`be a whole number from ${low} to ${high}`)
    return value
  }

/** `none` (null), or what `kind` accepts. */
export const orNone =
  <T>(kind: SettingKind<T>): SettingKind<T | null> =>
  (text) => {
    if (text === 'none') return null
    try {
      return kind(text)
    } catch (error) {
      if (!(error instanceof Mistake)) throw error
      throw new Mistake(`be none, or ${error.message.replace(/^be /, '')}`)
    }
  }

export const flag: SettingKind<boolean> = (text) => {
  if (text === 'true' || text === '1') return true
  if (text === 'false' || text === '0') return false
  throw new Mistake('be true or false (1 or 0)')
}

export const oneOf =
  <const T extends string>(...choices: readonly T[]): SettingKind<T> =>
  (text) => {
    const chosen = choices.find((choice) => choice === text)
    if (chosen === undefined) throw new Mistake(`be one of ${choices.join(', ')}`)
    return chosen
  }

export const matching =
  (pattern: RegExp, must: string): SettingKind<string> =>
  (text) => {
    if (!pattern.test(text)) throw new Mistake(must)
    return text
  }

/** Any text, as it is. */
export const text: SettingKind<string> = (value) => value

export const httpUrl: SettingKind<string> = (value) => {
  const url = URL.canParse(value) ? new URL(value) : undefined
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') {
    throw new Mistake('be a URL that begins with http:// or https://')
  }
  if (url.username !== '' || url.password !== '') {
    throw new Mistake('contain no user name or password: errors and logs contain the URL')
  }
  return value
}

/** Origins with commas between them, or `*`: any. Empty: none. */
export const origins: SettingKind<readonly string[]> = (value) => {
  if (value === '') return []
  const listed = value.split(',').map((origin) => origin.trim())
  const isOrigin = (origin: string): boolean => URL.canParse(origin) && new URL(origin).origin === origin
  if (!listed.every((origin) => origin === '*' || isOrigin(origin))) {
    throw new Mistake('be origins such as https://example.com, with commas between them')
  }
  return listed
}
