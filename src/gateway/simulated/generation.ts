import type { JsonObject, JsonValue } from '../../core/model/json.ts'
import type { ModelApi, ModelCall } from '../../core/ports/model-backend.ts'
import { type Eventual, whenReady } from '../../core/ports/when-ready.ts'
import { largestMaximum } from '../apis/output-bounds.ts'
import { isObject, objectsIn, stringOf } from '../json-values.ts'
import { sampleOf } from './json-sample.ts'

/** Tokens of each choice of a request that names no maximum. */
export const DEFAULT_TOKENS = 16

/** What the simulated model generates for each choice of a request. */
export interface Generation {
  readonly output: SimulatedOutput
  readonly tokens: number
  /** Whether the maximum cut the output. */
  readonly isCut: boolean
}

export type SimulatedOutput =
  /** Words without an end: as many as there are tokens. */
  | { readonly kind: 'words' }
  | { readonly kind: 'json'; readonly text: string }
  | { readonly kind: 'call'; readonly name: string; readonly text: string }

/**
 * As many words as the maximum of tokens. JSON and calls of tools are whole, whatever the maximum is; they have as many tokens as
 * `countText` counts, but no more than it.
 */
export const generate = (
  call: ModelCall,
  countText: (text: string) => Eventual<number>,
): Eventual<Generation> => {
  const { api, body, outputBound } = call
  const named = ownMaximum(api, body) ?? largestMaximum(body)
  const output = outputOf(body)
  if (output.kind === 'words') {
    const tokens = named ?? Math.min(DEFAULT_TOKENS, outputBound ?? DEFAULT_TOKENS)
    return { output, tokens, isCut: named !== null }
  }
  const text = output.kind === 'call' ? output.name + output.text : output.text
  const most = named ?? outputBound ?? Number.POSITIVE_INFINITY
  return whenReady(countText(text), (tokens) => ({ output, tokens: Math.min(tokens, most), isCut: false }))
}

/** The maximum that the API uses, of several that a request may name. */
const OWN_MAXIMA: Readonly<Partial<Record<ModelApi, readonly string[]>>> = {
  chat: ['max_completion_tokens', 'max_tokens'],
  completions: ['max_tokens'],
  responses: ['max_output_tokens'],
  messages: ['max_tokens'],
}

const ownMaximum = (api: ModelApi, body: JsonObject): number | null => {
  for (const field of OWN_MAXIMA[api] ?? []) {
    const value = body[field]
    if (typeof value === 'number') return value
  }
  return null
}

const outputOf = (body: JsonObject): SimulatedOutput => {
  const tool = chosenTool(body)
  if (tool !== undefined) {
    return { kind: 'call', name: tool.name, text: JSON.stringify(argumentsOf(tool.parameters)) }
  }
  const schema = schemaOf(body)
  return schema === undefined ? { kind: 'words' } : { kind: 'json', text: JSON.stringify(sampleOf(schema)) }
}

interface Tool {
  readonly name: string
  readonly parameters: JsonValue | undefined
}

/** The tool that must be called; undefined: none must. */
const chosenTool = ({ tools, tool_choice: choice }: JsonObject): Tool | undefined => {
  const known = objectsIn(tools)
    .map(toolOf)
    .filter((tool) => tool.name !== '')
  if (choice === 'required') return known[0]
  if (!isObject(choice)) return undefined
  if (choice.type === 'any' || choice.mode === 'required') return known[0]
  const name = stringOf(choice.name) || nameIn(choice.function)
  return name === '' ? undefined : known.find((tool) => tool.name === name)
}

const nameIn = (value: JsonValue | undefined): string => (isObject(value) ? stringOf(value.name) : '')

/** Chats nest the function, Anthropic calls its parameters `input_schema`. */
const toolOf = (tool: JsonObject): Tool => {
  const definition = isObject(tool.function) ? tool.function : tool
  return { name: stringOf(definition.name), parameters: definition.parameters ?? definition.input_schema }
}

const argumentsOf = (parameters: JsonValue | undefined): JsonValue => {
  const value = sampleOf(isObject(parameters) ? { type: 'object', ...parameters } : { type: 'object' })
  return isObject(value) ? value : {}
}

/** The schema of a structured output, in the form of any API; undefined: text. */
const schemaOf = ({
  response_format,
  text,
  output_format,
  output_config,
}: JsonObject): JsonValue | undefined => {
  const nested = [text, output_config].map((part) => (isObject(part) ? part.format : undefined))
  const format = [response_format, ...nested, output_format].find(isObject)
  if (format === undefined) return undefined
  if (format.type === 'json_object')
    return { type: 'object', required: ['simulated'], properties: { simulated: { type: 'boolean' } } }
  if (format.type !== 'json_schema') return undefined
  return (isObject(format.json_schema) ? format.json_schema.schema : format.schema) ?? {}
}
