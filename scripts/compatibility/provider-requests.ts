export type Json = Readonly<Record<string, unknown>>

/** The responses of one route, in the shapes of the real provider. */
export interface ProviderRoute {
  whole(body: Json): object
  /** Whole events. */
  events?(body: Json): readonly string[]
}

export const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The name of the first tool of a request to any API. */
export const firstToolOf = ({ tools }: Json): string | undefined => {
  const first: unknown = Array.isArray(tools) ? tools[0] : undefined
  if (!isObject(first)) return undefined
  const { name } = isObject(first.function) ? first.function : first
  return typeof name === 'string' ? name : undefined
}

const contains = (body: Json, pattern: RegExp): boolean => pattern.test(JSON.stringify(body))

export const hasToolResult = (body: Json): boolean =>
  contains(body, /"role":"tool"|"type":"(tool_result|function_call_output)"/)

export const hasImage = (body: Json): boolean => contains(body, /"type":"(image_url|input_image|image)"/)

/** The answer to every request for structured output. */
export const STRUCTURED = '{"city":"Paris","degrees":21}'

/** The pieces of the arguments of a tool call, which fit the tools of the checks. */
export const argumentsOf = ({ tools }: Json): readonly string[] =>
  JSON.stringify(tools ?? []).includes('degrees') ? [STRUCTURED] : ['{"city":', ' "Paris"}']
