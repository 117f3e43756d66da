import { setImmediate as nextTurn } from 'node:timers/promises'
import { invalid } from '../../core/model/errors.ts'
import { JSON_BOUNDS, type JsonBounds, scanJson } from '../../web/json-scan.ts'

/** Characters that are scanned between two turns of the event loop, some 0.5 ms. Texts up to this length take no turn. */
export const CHARS_PER_TURN = 32_768

export interface ParseOptions {
  readonly bounds?: JsonBounds
  /** Resolves when the event loop has served others. */
  readonly nextTurn?: () => Promise<unknown>
}

/**
 * The value of a JSON text that a client sent. Throws `invalid_request` where it is not well-formed or exceeds the bounds;
 * these are checked before it is parsed, as parsing cannot yield.
 */
export const parseJson = async (text: string, options: ParseOptions = {}): Promise<unknown> => {
  const { bounds = JSON_BOUNDS, nextTurn: turn = nextTurn } = options
  if (cannotExceed(text, bounds)) return parsed(text)
  const scan = scanJson(text, bounds)
  while (!scan.run(CHARS_PER_TURN)) await turn()
  const must = scan.exceeded()
  if (must !== undefined) throw invalid('body', must)
  if (text.length <= CHARS_PER_TURN) return parsed(text)
  await turn()
  const value = parsed(text)
  await turn()
  return value
}

/** Each level, and each value, takes a character at least. */
const cannotExceed = ({ length }: string, { levels, values, fields }: JsonBounds): boolean =>
  length <= Math.min(levels, values, fields)

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    throw invalid('body', 'be well-formed JSON')
  }
}
