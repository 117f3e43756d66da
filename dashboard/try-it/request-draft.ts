import { bodyOf, MODEL_APIS, type ModelApi, type RequestBody } from './model-apis.ts'

/** The caller: an entity that the administrator acts for, or the owner of a key. */
export type Caller =
  | { readonly kind: 'entity'; readonly id: string }
  | { readonly kind: 'key'; readonly key: string }

/** The state of the form. */
export interface Draft {
  readonly callerKind: Caller['kind']
  readonly entityId: string
  readonly key: string
  readonly api: ModelApi
  readonly model: string
  readonly maxTokens: string
  readonly message: string
  readonly count: string
  readonly parallelism: string
  readonly streams: boolean
}

/** One request, and its caller. */
export interface ModelRequest {
  readonly caller: Caller
  readonly api: ModelApi
  readonly body: RequestBody
}

/** The requests of one run. */
export interface RunRequest extends ModelRequest {
  readonly count: number
  readonly parallelism: number
}

/** Errors by field. */
export type DraftErrors = { readonly [field in keyof Draft]?: string }

export const MAX_REQUESTS = 200
export const MAX_PARALLELISM = 20
const MAX_TOKENS = 1_000_000

/** The run that a draft describes, or the errors of the draft. */
export const parseDraft = (draft: Draft): { readonly run: RunRequest } | { readonly errors: DraftErrors } => {
  const errors = errorsOf(draft)
  if (Object.keys(errors).length > 0) return { errors }
  const { api, maxTokens, message, streams } = draft
  const maximum = maxTokens.trim() === '' ? undefined : Number(maxTokens)
  return {
    run: {
      caller: callerOf(draft),
      api,
      body: bodyOf(api, { model: draft.model.trim(), prompt: message, maximum }, streams),
      count: Number(draft.count),
      parallelism: Number(draft.parallelism),
    },
  }
}

/** The caller of a draft; the id or the key may be empty. */
export const callerOf = ({ callerKind, entityId, key }: Draft): Caller =>
  callerKind === 'entity' ? { kind: 'entity', id: entityId.trim() } : { kind: 'key', key: key.trim() }

const errorsOf = ({ callerKind, ...draft }: Draft): DraftErrors => {
  const { maxTokens } = draft
  const { prompt, maximumField } = MODEL_APIS[draft.api]
  const wrong: Record<string, string | false> = {
    entityId:
      callerKind === 'entity' && draft.entityId.trim() === '' && 'Enter the entity to send requests as.',
    key: callerKind === 'key' && keyError(draft.key.trim()),
    model: draft.model.trim() === '' && 'Choose a model.',
    message:
      draft.message === '' && `Write ${prompt === 'Input' ? 'an input' : `a ${prompt.toLowerCase()}`}.`,
    maxTokens:
      maximumField !== undefined &&
      maxTokens.trim() !== '' &&
      !isWhole(maxTokens, MAX_TOKENS) &&
      `Up to ${MAX_TOKENS}, or nothing.`,
    count: !isWhole(draft.count, MAX_REQUESTS) && `1 to ${MAX_REQUESTS}.`,
    parallelism: !isWhole(draft.parallelism, MAX_PARALLELISM) && `1 to ${MAX_PARALLELISM}.`,
  }
  return Object.fromEntries(Object.entries(wrong).filter(([, error]) => error !== false))
}

/** A header allows printable ASCII only. */
const keyError = (key: string): string | false => {
  if (key === '') return 'Paste a key.'
  return !/^[\x21-\x7e]+$/.test(key) && 'A key has no spaces and no letters beyond ASCII.'
}

const isWhole = (text: string, most: number): boolean =>
  /^\d+$/.test(text.trim()) && within(Number(text), most)

const within = (value: number, most: number): boolean => value >= 1 && value <= most
