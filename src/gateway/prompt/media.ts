import type { JsonObject, JsonValue } from '../../core/model/json.ts'
import { isObject, stringOf } from '../json-values.ts'
import { imageSizeOf } from './image-size.ts'
import type { PromptSink } from './prompt-sink.ts'

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

export const readAudio = (block: JsonObject, prompt: PromptSink): void =>
  readMedia(block, ['input_audio', 'audio', 'audio_url', 'source'], AUDIO, prompt)

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
