import type { Host, Output } from '../host.ts'

/** Marks for terminals; each returns its text unchanged where there is no colour. */
export interface Style {
  readonly bold: (text: string) => string
  readonly dim: (text: string) => string
  readonly red: (text: string) => string
  readonly yellow: (text: string) => string
  readonly green: (text: string) => string
}

const marked =
  (on: number, off: number) =>
  (text: string): string =>
    `\u001b[${on}m${text}\u001b[${off}m`

const COLOURED: Style = {
  bold: marked(1, 22),
  dim: marked(2, 22),
  red: marked(31, 39),
  yellow: marked(33, 39),
  green: marked(32, 39),
}

const same = (text: string): string => text

export const PLAIN: Style = { bold: same, dim: same, red: same, yellow: same, green: same }

/** Colours only on a terminal, and not if NO_COLOR is set to anything (https://no-color.org). */
export const styleOf = (output: Output, environment: Host['environment']): Style => {
  const isColoured = output.isTTY === true && !environment.NO_COLOR && environment.TERM !== 'dumb'
  return isColoured ? COLOURED : PLAIN
}

/** Control characters, and those that change the direction of text: a name could move the cursor or hide what follows. */
const UNSAFE = /[\p{Cc}\p{Zl}\p{Zp}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu

/** A text of the server in one line, without characters that a terminal obeys. */
export const printable = (text: string): string => text.replaceAll(UNSAFE, '\ufffd')

let segmenter: Intl.Segmenter | undefined

/** Created with the first text that is not ASCII: it takes 10 ms, a tenth of a start. */
const graphemesOf = (text: string): Iterable<{ readonly segment: string }> => {
  segmenter ??= new Intl.Segmenter('en', { granularity: 'grapheme' })
  return segmenter.segment(text)
}

/** Characters that take two columns: East Asian scripts, full-width forms and emoji. */
const WIDE =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|^\p{Emoji_Presentation}/u

/** The columns that a text takes on a terminal. */
export const widthOf = (text: string): number => {
  if (/^[\x20-\x7e]*$/.test(text)) return text.length
  return [...graphemesOf(text)].reduce((sum, { segment }) => sum + (WIDE.test(segment) ? 2 : 1), 0)
}

/** `text` filled to `width` columns; numbers are aligned at their end. */
export const padded = (text: string, width: number, isNumber = false): string => {
  const fill = ' '.repeat(Math.max(0, width - widthOf(text)))
  return isNumber ? `${fill}${text}` : `${text}${fill}`
}
