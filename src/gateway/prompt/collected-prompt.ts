/** Receives what an upstream counts as input, part by part. */
export interface PromptSink {
  /** A text, of any length. */
  text(text: string): void
  /** Tokens that need no counting. */
  tokens(count: number): void
  image(image: PromptImage): void
  /** At most this much audio, whose tokens are passed on as well. Undefined: seconds are not billed. */
  readonly audio?: ((seconds: number) => void) | undefined
}

export interface PromptImage {
  /** `detail: low`, which OpenAI offers. */
  readonly isLowDetail: boolean
  /** In pixels; undefined: it is not in the request, or in no known format. */
  readonly size: PixelSize | undefined
}

export interface PixelSize {
  readonly width: number
  readonly height: number
}

/** No token of o200k has more characters, or more bytes. */
export const MAX_TOKEN_CHARS = 128

/** In bytes; each is at most one token. */
const MAX_CHAR_BYTES = 3

/** A prompt before its texts are counted. */
export interface CollectedPrompt {
  /** Without empty ones. */
  readonly texts: readonly string[]
  /** Characters of all texts. */
  readonly length: number
  /** Tokens beside the texts. */
  readonly fixedTokens: number
  /** Bounds of the tokens of all texts together, by their lengths. */
  readonly leastTextTokens: number
  readonly mostTextTokens: number
  readonly images: number
  /** 0 if they are not billed. */
  readonly audioSeconds: number
}

/** Counts images by the rules of a model family. */
export interface ImageCounter {
  imageTokens(image: PromptImage): number
}

/** Collects the parts that `read` passes on. */
export const collectPrompt = (
  family: ImageCounter,
  read: (sink: PromptSink) => void,
  { billsAudio = false }: { readonly billsAudio?: boolean } = {},
): CollectedPrompt => {
  const texts: string[] = []
  let [length, fixedTokens, leastTextTokens, images, audioSeconds] = [0, 0, 0, 0, 0]
  read({
    text(text) {
      if (text === '') return
      texts.push(text)
      length += text.length
      leastTextTokens += Math.ceil(text.length / MAX_TOKEN_CHARS)
    },
    tokens(count) {
      fixedTokens += count
    },
    image(image) {
      fixedTokens += family.imageTokens(image)
      images++
    },
    audio: billsAudio
      ? (seconds) => {
          audioSeconds += seconds
        }
      : undefined,
  })
  const mostTextTokens = length * MAX_CHAR_BYTES
  return { texts, length, fixedTokens, leastTextTokens, mostTextTokens, images, audioSeconds }
}
