import { fieldOf } from '../reports.ts'

/**
 * What the generated client leaves out: the model routes, for which the libraries of OpenAI and Anthropic exist, event
 * streams, pages, and the data of the dashboard.
 */
const LEFT_OUT = [/^\/v1\/(chat|completions|embeddings|responses|messages|models)\b/, /^\/api\/dashboard\//]

const LEFT_OUT_TAGS = ['Pages']

type Json = Readonly<Record<string, unknown>>

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const entriesOf = (value: unknown): readonly (readonly [string, unknown])[] =>
  isObject(value) ? Object.entries(value) : []

/** The part of an OpenAPI document that a client is generated from: its operations, and the schemas that they refer to. */
export const clientDocument = (document: Json): Json => {
  const paths = Object.fromEntries(entriesOf(document.paths).filter(([path, item]) => isIncluded(path, item)))
  const schemas = Object.fromEntries(entriesOf(fieldOf(document.components, 'schemas')))
  const reached = new Set<string>()
  const reach = (value: unknown): void => {
    for (const name of refsIn(value)) {
      if (reached.has(name)) continue
      reached.add(name)
      reach(schemas[name])
    }
  }
  reach(paths)
  const included = Object.entries(schemas).filter(([name]) => reached.has(name))
  return {
    ...document,
    paths,
    components: {
      ...(isObject(document.components) ? document.components : {}),
      schemas: Object.fromEntries(included),
    },
  }
}

const isIncluded = (path: string, item: unknown): boolean => {
  if (LEFT_OUT.some((pattern) => pattern.test(path))) return false
  return entriesOf(item).some(([, operation]) => {
    const tags = fieldOf(operation, 'tags')
    return Array.isArray(tags) && !tags.some((tag) => LEFT_OUT_TAGS.includes(tag))
  })
}

const refsIn = (value: unknown): readonly string[] =>
  [...(JSON.stringify(value) ?? '').matchAll(/"#\/components\/schemas\/(\w+)"/g)].map(([, name = '']) => name)
