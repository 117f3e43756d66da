import { type Eventual, whenReady } from '../../core/ports/when-ready.ts'
import type { WorkTask } from '../work-turns.ts'
import { type CountTokens, wholeEnd } from './byte-pairs.ts'
import type { CollectedPrompt } from './collected-prompt.ts'

/*
 * Counts texts of any length in bounded time: up to `MAX_EXACT` characters exactly, and longer ones by samples of them. The
 * samples are at places that nobody can know, one in each of `SAMPLES` equal parts, so that a text cannot be made cheap to count
 * and expensive to process.
 */

/** Characters that are counted exactly: some 8,000 tokens of English, 3 ms, or 12 ms of the slowest texts. */
export const MAX_EXACT = 32_768

const SAMPLES = 48

/** In characters; also the size of the pieces that are counted at once. */
const SAMPLE = 512

/** A piece of text ends where no token spans, if there is such a place within so many characters. */
const MAX_OVERLONG = 128

const SPACE = 0x20

/** Work of a piece, in units of some 0.1 µs: what it costs beside its tokens, and per token. */
const [PER_PIECE, PER_TOKEN] = [50, 10]

/** Places within the parts, from 0 to 1. */
export type SamplePlaces = readonly number[]

export const createSamplePlaces = (random: () => number = Math.random): SamplePlaces =>
  Array.from({ length: SAMPLES }, random)

interface Counting {
  readonly count: CountTokens
  readonly task: WorkTask
  readonly places: SamplePlaces
}

/** The tokens of all texts of a prompt; with a margin of two standard errors if they are sampled. A promise if it takes turns. */
export const countTexts = (prompt: CollectedPrompt, counting: Counting): Eventual<number> => {
  const { texts, length, leastTextTokens, mostTextTokens } = prompt
  if (length <= MAX_EXACT) {
    const exact = { tokens: 0, densities: undefined }
    return whenReady(countPieces(piecesOf(texts), exact, counting), () => exact.tokens)
  }
  const densities: number[] = []
  return whenReady(countPieces(samplesOf(prompt, counting.places), { tokens: 0, densities }, counting), () =>
    Math.min(Math.max(Math.ceil(length * upperMean(densities)), leastTextTokens), mostTextTokens),
  )
}

interface Counted {
  tokens: number
  /** Tokens per character of each piece. */
  readonly densities: number[] | undefined
}

/** Adds up the rest of the pieces. A promise if it takes turns. */
const countPieces = (pieces: Iterator<string>, counted: Counted, counting: Counting): Eventual<void> => {
  for (let next = pieces.next(); !next.done; next = pieces.next()) {
    const count = counting.count(next.value)
    counted.tokens += count
    counted.densities?.push(count / next.value.length)
    const turn = counting.task.spend(PER_PIECE + PER_TOKEN * count)
    if (turn !== undefined) return turn.then(() => countPieces(pieces, counted, counting))
  }
}

function* piecesOf(texts: readonly string[]): Generator<string> {
  for (const text of texts) {
    for (let start = 0; start < text.length; ) {
      const end = pieceEnd(text, start)
      yield text.slice(start, end)
      start = end
    }
  }
}

/** A space behind a character that is no white space: no token of o200k spans such a place, so the counts add up exactly. */
const pieceEnd = (text: string, start: number): number => {
  const latest = start + SAMPLE + MAX_OVERLONG
  if (latest >= text.length) return text.length
  for (let at = start + SAMPLE; at < latest; at++) {
    if (text.charCodeAt(at) === SPACE && !isWhiteSpace(text.charAt(at - 1))) return at
  }
  return wholeEnd(text, latest)
}

const isWhiteSpace = (character: string): boolean => /\s/.test(character)

/** One sample in each equal part of the texts. */
function* samplesOf({ texts, length }: CollectedPrompt, places: SamplePlaces): Generator<string> {
  let [start, part] = [0, 0]
  const place = (): number => ((part + (places[part] ?? 0)) * length) / places.length
  for (const text of texts) {
    for (; part < places.length && place() < start + text.length; part++) {
      const from = Math.max(0, Math.min(Math.floor(place()) - start, text.length - SAMPLE))
      yield text.slice(from, from + SAMPLE)
    }
    start += text.length
  }
}

/** The mean and two standard errors. */
const upperMean = (values: readonly number[]): number => {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0)
  return mean + 2 * Math.sqrt(squares / (values.length * (values.length - 1)))
}
