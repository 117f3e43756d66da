/** Receives what an upstream counts as input, part by part. */
export interface PromptSink {
  /** A text, of any length. */
  text(text: string): void
  /** Tokens that need no counting. */
  tokens(count: number): void
  image(image: PromptImage): void
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
