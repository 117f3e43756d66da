/** Bounds on the parts of a JSON text, independent of its length: parsing and validation take time per part. */
export interface JsonBounds {
  /** Objects, lists, strings, numbers, booleans and nulls; not names of fields. */
  readonly values: number
  /** Names of fields in all objects together. Distinct names cost a parser about ten times as much as other values. */
  readonly fields: number
  /** The nesting depth of lists and objects. */
  readonly levels: number
}

export const JSON_BOUNDS: JsonBounds = { values: 100_000, fields: 20_000, levels: 100 }

/** Counts the parts of a JSON text in runs of bounded length, so that the caller can yield between them. */
export interface JsonScan {
  /** Continues for at most `chars` characters. False: there is more to scan. Stops at the first bound that is exceeded. */
  run(chars: number): boolean
  /** The text that completes "the body must …"; undefined while no bound is exceeded. */
  exceeded(): string | undefined
}

const [QUOTE, COMMA, COLON, OPEN_LIST, BACKSLASH, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT, SPACE] = [
  0x22, 0x2c, 0x3a, 0x5b, 0x5c, 0x5d, 0x7b, 0x7d, 0x20,
] as const

interface State {
  readonly text: string
  /** Characters before this position have been counted. */
  at: number
  values: number
  fields: number
  levels: number
  isInString: boolean
  /** The next character begins a value, or a field with its value, unless it is white space or ends the list or object. */
  expectsValue: boolean
}

/**
 * Counts in one pass without copying the text. It accepts malformed text, which the parser rejects: the counts are exact up to
 * the first mistake, so a parser that stops there has processed no more parts than were counted.
 */
export const scanJson = (text: string, bounds: JsonBounds = JSON_BOUNDS): JsonScan => {
  const state: State = {
    text,
    at: 0,
    values: 0,
    fields: 0,
    levels: 0,
    isInString: false,
    expectsValue: true,
  }
  const isWithin = (): boolean =>
    state.values <= bounds.values && state.fields <= bounds.fields && state.levels <= bounds.levels
  return {
    run(chars) {
      const end = Math.min(text.length, state.at + chars)
      while (state.at < end && isWithin()) {
        if (state.isInString) passString(state)
        else pass(state)
      }
      return state.at >= text.length || !isWithin()
    },
    exceeded: () => exceededBound(state, bounds),
  }
}

/** Passes a character within a string; after a backslash, also the next one. */
const passString = (state: State): void => {
  const code = state.text.charCodeAt(state.at)
  state.at += code === BACKSLASH ? 2 : 1
  if (code === QUOTE) state.isInString = false
}

/** Passes a character outside of strings. */
const pass = (state: State): void => {
  const code = state.text.charCodeAt(state.at)
  state.at += 1
  if (code <= SPACE) return
  const closes = code === CLOSE_LIST || code === CLOSE_OBJECT
  const opens = code === OPEN_LIST || code === OPEN_OBJECT
  if (state.expectsValue && !closes) state.values += 1
  state.expectsValue = opens || code === COMMA
  if (opens) state.levels += 1
  else if (closes) state.levels -= 1
  else if (code === COLON) state.fields += 1
  else if (code === QUOTE) state.isInString = true
}

const exceededBound = ({ values, fields, levels }: State, bounds: JsonBounds): string | undefined => {
  if (values > bounds.values) return `contain at most ${grouped(bounds.values)} JSON values`
  if (fields > bounds.fields)
    return `contain at most ${grouped(bounds.fields)} fields, in all objects together`
  return levels > bounds.levels ? `nest at most ${bounds.levels} levels deep` : undefined
}

const grouped = (count: number): string => count.toLocaleString('en')
