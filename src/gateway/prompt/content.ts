import type { JsonObject, JsonValue } from '../../core/model/json.ts'
import { isObject, stringOf } from '../json-values.ts'
import type { PromptSink } from './collected-prompt.ts'
import { readAudio, readFile, readImage, readVideo } from './media.ts'

/** Tokens of a field's punctuation: `":"` before its value and `","` behind it. */
const PER_FIELD = 2

/** Of numbers: o200k splits digits into groups of three. */
const DIGITS_PER_TOKEN = 3

const PER_TOOL = 7

const TOOLS_END = 12

/** Of a block's begin and end. */
const PER_BLOCK = 2

type Reader = (block: JsonObject, prompt: PromptSink) => void

/**
 * The content of a message: a text, or a list of blocks, in the forms of all APIs. A block of an unknown type is counted as
 * JSON, so that nothing that an upstream bills counts as 0.
 */
export const readContent = (content: JsonValue | undefined, prompt: PromptSink): void => {
  if (Array.isArray(content)) for (const part of content) readContent(part, prompt)
  else if (isObject(content)) (READERS.get(stringOf(content.type)) ?? readJson)(content, prompt)
  else readJson(content, prompt)
}

const textBlock: Reader = ({ text }, prompt) => {
  if (typeof text === 'string') prompt.text(text)
}

const toolResult: Reader = ({ content }, prompt) => {
  prompt.tokens(PER_BLOCK)
  readContent(content, prompt)
}

const functionOutput: Reader = ({ output }, prompt) => {
  prompt.tokens(PER_BLOCK)
  readContent(output, prompt)
}

/** Without the signature, which is not part of the model's input. */
const thinking: Reader = (block, prompt) => {
  prompt.tokens(PER_BLOCK)
  if (typeof block.thinking === 'string') prompt.text(block.thinking)
  else readContent(block.thinking, prompt)
}

/** Reasoning that only the provider can read: base64, of text with some four bytes per token. */
const ENCRYPTED_CHARS_PER_TOKEN = 5

const encrypted = (text: JsonValue | undefined, prompt: PromptSink): void =>
  prompt.tokens(Math.ceil(stringOf(text).length / ENCRYPTED_CHARS_PER_TOKEN))

const redactedThinking: Reader = ({ data }, prompt) => {
  prompt.tokens(PER_BLOCK)
  encrypted(data, prompt)
}

const generatedImage: Reader = ({ result }, prompt) => readImage({ url: result ?? '' }, prompt)

/** Of an item that the request only names: an answer of some length, or its reasoning. The actual usage is settled. */
const NAMED_ITEM_TOKENS = 1000

const itemReference: Reader = (_, prompt) => prompt.tokens(NAMED_ITEM_TOKENS)

/** Readers of blocks by their type. */
const READERS: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  ['text', textBlock],
  ['input_text', textBlock],
  ['output_text', textBlock],
  ['image', readImage],
  ['image_url', readImage],
  ['input_image', readImage],
  ['computer_screenshot', readImage],
  ['audio', readAudio],
  ['audio_url', readAudio],
  ['input_audio', readAudio],
  ['file', readFile],
  ['input_file', readFile],
  ['document', readFile],
  ['container_upload', readFile],
  ['video', readVideo],
  ['video_url', readVideo],
  ['input_video', readVideo],
  ['image_generation_call', generatedImage],
  ['item_reference', itemReference],
  ['thinking', thinking],
  ['redacted_thinking', redactedThinking],
  ['tool_result', toolResult],
  ['function_call_output', functionOutput],
  ['custom_tool_call_output', functionOutput],
  ['computer_call_output', functionOutput],
])

/** Any value, as an upstream would write it into the prompt as JSON. */
export const readJson = (value: JsonValue | undefined, prompt: PromptSink): void => {
  if (typeof value === 'string') prompt.text(value)
  else if (typeof value === 'number') prompt.tokens(Math.ceil(String(value).length / DIGITS_PER_TOKEN))
  else if (typeof value === 'boolean') prompt.tokens(1)
  else if (Array.isArray(value)) for (const item of value) readJson(item, prompt)
  else if (isObject(value)) readFields(value, prompt)
}

const readFields = (object: JsonObject, prompt: PromptSink): void => {
  for (const name in object) {
    prompt.text(name)
    prompt.tokens(PER_FIELD)
    if (name === 'encrypted_content') encrypted(object[name], prompt)
    else readJson(object[name], prompt)
  }
}

/** Definitions of tools; none if `tools` is no list, or empty. */
export const readTools = (tools: JsonValue | undefined, prompt: PromptSink): void => {
  if (!Array.isArray(tools) || tools.length === 0) return
  readJson(tools, prompt)
  prompt.tokens(PER_TOOL * tools.length + TOOLS_END)
}

/** Texts as completions and embeddings take them: one, a list, or lists of token ids in place of texts. */
export const readTexts = (value: JsonValue | undefined, prompt: PromptSink): void => {
  if (typeof value === 'string') prompt.text(value)
  else if (typeof value === 'number') prompt.tokens(1)
  else if (Array.isArray(value)) for (const item of value) readTexts(item, prompt)
}

/** How many texts these are; a list of token ids is one. */
export const textsIn = (value: JsonValue | undefined): number =>
  Array.isArray(value) && typeof value[0] !== 'number' ? Math.max(1, value.length) : 1
