/** Counts the tokens of a text. Takes time linear in the words, and quadratic in the length of a word. */
export type CountTokens = (text: string) => number

/** The tokens of an encoding by rank; lists are bytes that are no UTF-8. It has holes. */
type Vocabulary = readonly (string | readonly number[])[]

/** In characters. Longer words are counted in parts of this length. */
const MAX_WORD = 128

/** Words that were counted recently. */
const MAX_WORDS = 8192

/** A pair of tokens that is no token. */
const NO_TOKEN = 0x7fff_ffff

/**
 * Counts by byte pair encoding: a word that is no token is split into bytes, and the pair with the least rank is merged until no
 * pair is a token. Exact for words of up to `MAX_WORD` characters. It keeps what pairs merge to, which makes it several times
 * as fast as a lookup of each pair's bytes, and counts only, without a list of tokens.
 */
const createBytePairCounter = (vocabulary: Vocabulary, words: RegExp): CountTokens => {
  const ranks = createRanks(vocabulary)
  const merge = createMerge(ranks)
  const counted = new Map<string, number>()

  const countWord = (word: string): number => {
    if (ranks.ofText.has(word)) return 1
    const known = counted.get(word)
    if (known !== undefined) return known
    const count = merge(bytesOf(word))
    if (counted.size >= MAX_WORDS) counted.clear()
    counted.set(word, count)
    return count
  }
  const countLongWord = (word: string): number => {
    let count = 0
    for (const part of partsOf(word)) count += countWord(part)
    return count
  }
  return (text) => {
    let count = 0
    for (const word of text.match(words) ?? [])
      count += word.length > MAX_WORD ? countLongWord(word) : countWord(word)
    return count
  }
}

/** The ranks of a vocabulary. Bytes are strings with one character each. */
interface Ranks {
  readonly ofText: ReadonlyMap<string, number>
  ofBytes(bytes: string): number | undefined
  /** The bytes of the token of a rank. */
  bytesAt(rank: number): string
}

/** Most tokens are kept as they are: to convert all of them would double the time to load. */
const createRanks = (vocabulary: Vocabulary): Ranks => {
  const ofText = new Map<string, number>()
  const ofOtherBytes = new Map<string, number>()
  vocabulary.forEach((token, rank) => {
    if (typeof token === 'string') ofText.set(token, rank)
    else ofOtherBytes.set(String.fromCharCode(...token), rank)
  })
  return {
    ofText,
    ofBytes(bytes) {
      if (isAscii(bytes)) return ofText.get(bytes)
      const text = Buffer.from(bytes, 'latin1').toString('utf8')
      const isText = !text.includes(REPLACEMENT) || bytesOf(text) === bytes
      return isText ? ofText.get(text) : ofOtherBytes.get(bytes)
    },
    bytesAt(rank) {
      const token = vocabulary[rank] ?? ''
      return typeof token === 'string' ? bytesOf(token) : String.fromCharCode(...token)
    },
  }
}

/** What is no UTF-8 is decoded to it. */
const REPLACEMENT = '\ufffd'

const bytesOf = (text: string): string =>
  isAscii(text) ? text : Buffer.from(text, 'utf8').toString('latin1')

const isAscii = (text: string): boolean => {
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) > 0x7f) return false
  return true
}

function* partsOf(word: string): Generator<string> {
  for (let start = 0; start < word.length; ) {
    const end = wholeEnd(word, start + MAX_WORD)
    yield word.slice(start, end)
    start = end
  }
}

/** `end`, or one before it between the halves of a surrogate pair. */
export const wholeEnd = (text: string, end: number): number => {
  const code = text.charCodeAt(end - 1)
  return end < text.length && code >= 0xd800 && code <= 0xdbff ? end - 1 : end
}

/** A power of two. */
const PAIRS = 1 << 16

/** The token that two tokens make; `NO_TOKEN` if none. Of all pairs with the same hash, the latest is kept. */
const createPairs = ({ ofBytes, bytesAt }: Ranks) => {
  const firsts = new Int32Array(PAIRS).fill(-1)
  const seconds = new Int32Array(PAIRS)
  const merged = new Int32Array(PAIRS)
  return (first: number, second: number): number => {
    const slot = (Math.imul(first, 0x9e3779b1) ^ Math.imul(second, 0x85ebca6b)) >>> 16
    if (firsts[slot] === first && seconds[slot] === second) return merged[slot] ?? NO_TOKEN
    const token = ofBytes(bytesAt(first) + bytesAt(second)) ?? NO_TOKEN
    firsts[slot] = first
    seconds[slot] = second
    merged[slot] = token
    return token
  }
}

/** Up to three bytes for each character of a word. */
const MAX_BYTES = 3 * MAX_WORD

/** The number of tokens of a word, which is given by its bytes. */
const createMerge = (ranks: Ranks): CountTokens => {
  const byteRanks = Array.from({ length: 256 }, (_, byte) => ranks.ofBytes(String.fromCharCode(byte)) ?? 0)
  const pairOf = createPairs(ranks)
  const parts = new Int32Array(MAX_BYTES)
  /** What each part makes with the next one. */
  const pairs = new Int32Array(MAX_BYTES)
  const setPair = (at: number, length: number): void => {
    if (at >= 0 && at + 1 < length) pairs[at] = pairOf(parts[at] ?? 0, parts[at + 1] ?? 0)
  }
  const begin = (bytes: string): void => {
    for (let at = 0; at < bytes.length; at++) parts[at] = byteRanks[bytes.charCodeAt(at)] ?? 0
    for (let at = 0; at < bytes.length; at++) setPair(at, bytes.length)
  }
  return (bytes) => {
    begin(bytes)
    for (let length = bytes.length; ; length--) {
      const at = leastOf(pairs, length - 1)
      const token = length > 1 ? (pairs[at] ?? NO_TOKEN) : NO_TOKEN
      if (token === NO_TOKEN) return length
      parts[at] = token
      parts.copyWithin(at + 1, at + 2, length)
      pairs.copyWithin(at, at + 1, length - 1)
      setPair(at, length - 1)
      setPair(at - 1, length - 1)
    }
  }
}

/** The first position of the least of the first `length` values. */
const leastOf = (values: Int32Array, length: number): number => {
  let least = 0
  for (let at = 1; at < length; at++) if ((values[at] ?? 0) < (values[least] ?? 0)) least = at
  return least
}

/**
 * Loads the tables of o200k, the encoding of OpenAI's models since gpt-4o (2.4 MB, some 150 ms): by `import()`, so that a bundler
 * that splits, or that leaves `gpt-tokenizer` outside, keeps them in files of their own.
 */
export const loadO200k = async (): Promise<CountTokens> => {
  const [{ default: vocabulary }, { O200K_TOKEN_SPLIT_REGEX }] = await Promise.all([
    import('gpt-tokenizer/bpeRanks/o200k_base'),
    import('gpt-tokenizer/encodingParams/constants'),
  ])
  return createBytePairCounter(vocabulary, O200K_TOKEN_SPLIT_REGEX)
}
