import type { ImageCounter, PixelSize } from './collected-prompt.ts'

/** How the models of a family count. */
export interface ModelFamily extends ImageCounter {
  /** Tokens per token of o200k, on average of English and code. */
  readonly textFactor: number
}

/** Of an image whose size is unknown: as common as any. */
const USUAL_SIZE: PixelSize = { width: 1024, height: 1024 }

/** OpenAI's count by tiles: https://platform.openai.com/docs/guides/images-vision#calculating-costs */
const byTiles =
  (base: number, perTile: number): ModelFamily['imageTokens'] =>
  ({ isLowDetail, size = USUAL_SIZE }) => {
    if (isLowDetail) return base
    const { width, height } = shrunkBy(size, Math.min(2048 / longSide(size), 768 / shortSide(size)))
    return base + perTile * Math.ceil(width / 512) * Math.ceil(height / 512)
  }

/** OpenAI's count by patches of 32 pixels, of which an image has at most 1,536. */
const byPatches =
  (perPatch: number): ModelFamily['imageTokens'] =>
  ({ size = USUAL_SIZE }) => {
    const patches = Math.ceil(size.width / 32) * Math.ceil(size.height / 32)
    return Math.ceil(Math.min(patches, 1536) * perPatch)
  }

/** Anthropic's: https://docs.claude.com/en/docs/build-with-claude/vision#calculate-image-costs */
const byPixels: ModelFamily['imageTokens'] = ({ size }) => {
  if (size === undefined) return MAX_CLAUDE_IMAGE
  const { width, height } = shrunkBy(size, 1568 / longSide(size))
  return Math.max(1, Math.min(MAX_CLAUDE_IMAGE, Math.ceil((width * height) / 750)))
}

const MAX_CLAUDE_IMAGE = 1600

const longSide = ({ width, height }: PixelSize): number => Math.max(width, height)

const shortSide = ({ width, height }: PixelSize): number => Math.min(width, height)

const shrunkBy = ({ width, height }: PixelSize, factor: number): PixelSize => ({
  width: width * Math.min(1, factor),
  height: height * Math.min(1, factor),
})

const OTHERS: ModelFamily = { textFactor: 1, imageTokens: byTiles(85, 170) }

/** The first whose pattern matches the model's name. Names at upstreams begin with a provider or a region. */
const FAMILIES: readonly (readonly [RegExp, ModelFamily])[] = [
  // Claude's tokenizers make 15 to 35 % more tokens than o200k
  [/claude|anthropic/i, { textFactor: 1.25, imageTokens: byPixels }],
  [/mistral|mixtral|ministral|codestral|devstral/i, { textFactor: 1.15, imageTokens: byTiles(85, 170) }],
  [/gpt-4o-mini/i, { textFactor: 1, imageTokens: byTiles(2833, 5667) }],
  [/gpt-4\.1-nano|gpt-5[\d.]*-nano/i, { textFactor: 1, imageTokens: byPatches(2.46) }],
  [/gpt-4\.1-mini|gpt-5[\d.]*-mini/i, { textFactor: 1, imageTokens: byPatches(1.62) }],
  [/o4-mini/i, { textFactor: 1, imageTokens: byPatches(1.72) }],
  [/gpt-5/i, { textFactor: 1, imageTokens: byTiles(70, 140) }],
  [/(^|[/.])o[13]\b/i, { textFactor: 1, imageTokens: byTiles(75, 150) }],
]

/** Models of unknown families count as gpt-4o does. The actual usage is settled afterwards. */
export const familyOf = (name: string): ModelFamily =>
  FAMILIES.find(([pattern]) => pattern.test(name))?.[1] ?? OTHERS
