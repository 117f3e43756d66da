import type { JsonObject, JsonValue } from '../../core/model/json.ts'
import { isObject, stringOf } from '../json-values.ts'
import type { PixelSize, PromptSink } from './collected-prompt.ts'

/*
 * Media in a prompt. What is in the request counts by its size, with a floor; what is only named (a URL, an id) counts as the
 * floor. The true counts depend on lengths and pages, which are not read: the actual usage is settled.
 */

/** Bytes per token, at the least, and the tokens of the shortest. */
interface MediaRate {
  readonly bytesPerToken: number
  readonly floor: number
}

/** OpenAI counts 10 tokens per second. Compressed speech has some 4,000 bytes per second or more. */
const AUDIO: MediaRate = { bytesPerToken: 400, floor: 100 }

/** A page of a PDF counts 1,500 to 3,000 tokens at Anthropic, and has some 40 KB. */
const FILE: MediaRate = { bytesPerToken: 16, floor: 3000 }

/** Gemini counts some 300 tokens per second; a second has 150 KB or more. */
const VIDEO: MediaRate = { bytesPerToken: 500, floor: 5000 }

/** `{"type": "image_url", "image_url": {"url", "detail"}}`, and the forms of the other APIs. */
export const readImage = (block: JsonObject, prompt: PromptSink): void => {
  const image = isObject(block.image_url) ? block.image_url : block
  const url = stringOf(image.url) || stringOf(image.image_url)
  const { source } = block
  const data = isObject(source) ? stringOf(source.data) : payloadOf(url)
  prompt.image({ isLowDetail: image.detail === 'low', size: imageSizeOf(data) })
}

export const readAudio = (block: JsonObject, prompt: PromptSink): void => {
  readMedia(block, AUDIO_FIELDS, AUDIO, prompt)
  prompt.audio?.(audioSecondsIn(block))
}

const AUDIO_FIELDS = ['input_audio', 'audio', 'audio_url', 'source'] as const

/** Of compressed speech: 8 kbit/s, the lowest rate of MP3. */
const LEAST_BYTES_PER_SECOND = 1000

/** Of audio that the request only names by a URL or an id. */
const NAMED_AUDIO_SECONDS = 60

/** At least as long as the longest audio of the block. */
const audioSecondsIn = (block: JsonObject): number => {
  const media = [block, ...AUDIO_FIELDS.map((field) => block[field])]
  return Math.max(...media.flatMap(secondsIn)) || NAMED_AUDIO_SECONDS
}

const secondsIn = (medium: JsonValue | undefined): readonly number[] => {
  if (typeof medium === 'string') return [secondsOf(payloadOf(medium))]
  if (!isObject(medium)) return []
  return DATA_FIELDS.map((field) => secondsOf(payloadOf(stringOf(medium[field])), medium.format))
}

/** Its bytes by the rate of a WAV file, or else by the lowest rate. */
const secondsOf = (data: string, format?: JsonValue): number => {
  if (/^https?:/i.test(data)) return NAMED_AUDIO_SECONDS
  const rate = format === undefined || format === 'wav' ? wavBytesPerSecond(data) : undefined
  return Math.ceil(base64Bytes(data) / (rate ?? LEAST_BYTES_PER_SECOND))
}

const WAV_HEADER_CHARS = 64

/** PCM, floats, A-law and µ-law: samples of a fixed size. */
const PLAIN_WAV_FORMATS: readonly number[] = [1, 3, 6, 7]

/** The format is in the subformat. */
const EXTENSIBLE_WAV = 0xfffe

/**
 * http://soundfile.sapp.org/doc/WaveFormat, if the format is the first chunk. The rate follows from the size of the samples, as
 * for decoders; the one that the header states is not read, because a caller may state any to be charged less.
 */
const wavBytesPerSecond = (base64: string): number | undefined => {
  const bytes = Buffer.from(base64.slice(0, WAV_HEADER_CHARS), 'base64')
  if (bytes.length < 46 || !startsWith(bytes, 'RIFF') || !startsWith(bytes, 'WAVEfmt ', 8)) return undefined
  const format = bytes.readUInt16LE(20)
  const samples = format === EXTENSIBLE_WAV ? bytes.readUInt16LE(44) : format
  if (!PLAIN_WAV_FORMATS.includes(samples)) return undefined
  const rate = bytes.readUInt32LE(24) * bytes.readUInt16LE(22) * Math.ceil(bytes.readUInt16LE(34) / 8)
  return rate > LEAST_BYTES_PER_SECOND ? rate : undefined
}

export const readVideo = (block: JsonObject, prompt: PromptSink): void =>
  readMedia(block, ['video_url', 'video', 'source'], VIDEO, prompt)

/** A PDF or another file. The text of a document that is text counts as such. */
export const readFile = (block: JsonObject, prompt: PromptSink): void => {
  for (const name of ['title', 'context', 'filename']) prompt.text(stringOf(block[name]))
  const { source } = block
  if (!isObject(source)) readMedia(block, ['file'], FILE, prompt)
  else if (source.type === 'text') prompt.text(stringOf(source.data))
  else if (source.type === 'content') readBlocks(source.content, prompt)
  else readMedia(block, ['source'], FILE, prompt)
}

/** The blocks of a document are texts and images. */
const readBlocks = (content: JsonValue | undefined, prompt: PromptSink): void => {
  if (typeof content === 'string') prompt.text(content)
  if (!Array.isArray(content)) return
  for (const part of content) {
    if (isObject(part) && part.type === 'image') readImage(part, prompt)
    else if (isObject(part)) prompt.text(stringOf(part.text))
  }
}

/** The medium is in one of the fields of the block, or in the block itself. */
const readMedia = (
  block: JsonObject,
  fields: readonly string[],
  { bytesPerToken, floor }: MediaRate,
  prompt: PromptSink,
): void => {
  let bytes = bytesIn(block)
  for (const field of fields) {
    const medium = block[field]
    bytes = Math.max(bytes, typeof medium === 'string' ? base64Bytes(payloadOf(medium)) : bytesIn(medium))
  }
  prompt.tokens(Math.max(floor, Math.ceil(bytes / bytesPerToken)))
}

const DATA_FIELDS = ['data', 'file_data', 'url', 'file_url'] as const

const bytesIn = (medium: JsonValue | undefined): number => {
  if (!isObject(medium)) return 0
  let bytes = 0
  for (const field of DATA_FIELDS) {
    const data = medium[field]
    if (typeof data === 'string') bytes = Math.max(bytes, base64Bytes(payloadOf(data)))
  }
  return bytes
}

const base64Bytes = (text: string): number => (text.length * 3) / 4

/** What a data URL contains behind its comma; a text that is no data URL, as it is. */
const payloadOf = (text: string): string => {
  if (!text.startsWith('data:')) return text
  // a media type is short; a comma far behind is part of the data
  const comma = text.slice(0, MAX_PREFIX).indexOf(',')
  return comma < 0 ? text : text.slice(comma + 1)
}

const MAX_PREFIX = 256

/** The size in an image's header is within so many characters of base64: 24 KB, beside a JPEG's colour profile and preview. */
const HEADER_CHARS = 32_768

/** The size of an image in base64, by its header; undefined: it is in none of the formats PNG, JPEG, GIF and WebP. */
const imageSizeOf = (base64: string): PixelSize | undefined => {
  const bytes = Buffer.from(base64.slice(0, HEADER_CHARS), 'base64')
  const size = pngSize(bytes) ?? gifSize(bytes) ?? webpSize(bytes) ?? jpegSize(bytes)
  return size !== undefined && size.width > 0 && size.height > 0 ? size : undefined
}

const startsWith = (bytes: Buffer, text: string, at = 0): boolean =>
  bytes.toString('latin1', at, at + text.length) === text

const pngSize = (bytes: Buffer): PixelSize | undefined =>
  bytes.length >= 24 && startsWith(bytes, '\x89PNG')
    ? { width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20) }
    : undefined

const gifSize = (bytes: Buffer): PixelSize | undefined =>
  bytes.length >= 10 && startsWith(bytes, 'GIF8')
    ? { width: bytes.readUInt16LE(6), height: bytes.readUInt16LE(8) }
    : undefined

/** https://developers.google.com/speed/webp/docs/riff_container */
const webpSize = (bytes: Buffer): PixelSize | undefined => {
  if (bytes.length < 30 || !startsWith(bytes, 'RIFF') || !startsWith(bytes, 'WEBP', 8)) return undefined
  if (startsWith(bytes, 'VP8X', 12)) {
    return { width: bytes.readUIntLE(24, 3) + 1, height: bytes.readUIntLE(27, 3) + 1 }
  }
  if (startsWith(bytes, 'VP8L', 12)) {
    const bits = bytes.readUInt32LE(21)
    return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 }
  }
  return { width: bytes.readUInt16LE(26) & 0x3fff, height: bytes.readUInt16LE(28) & 0x3fff }
}

/** Passes segments until the frame header, which contains the size. */
const jpegSize = (bytes: Buffer): PixelSize | undefined => {
  if (bytes.length < 4 || bytes.readUInt16BE(0) !== 0xffd8) return undefined
  for (let at = 2; at + 9 <= bytes.length; ) {
    if (bytes[at] !== 0xff) return undefined
    if (isFrameHeader(bytes[at + 1] ?? 0)) {
      return { width: bytes.readUInt16BE(at + 7), height: bytes.readUInt16BE(at + 5) }
    }
    at += 2 + bytes.readUInt16BE(at + 2)
  }
  return undefined
}

/** SOF0 to SOF15, without the three that are no frames (DHT, JPG, DAC). */
const isFrameHeader = (marker: number): boolean =>
  marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc
