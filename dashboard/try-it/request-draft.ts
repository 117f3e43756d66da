/** The caller: an entity that the admin acts for, or the owner of a key. */
export type Caller =
  | { readonly kind: 'entity'; readonly id: string }
  | { readonly kind: 'key'; readonly key: string }

/** The form as it is typed. */
export interface Draft {
  readonly callerKind: Caller['kind']
  readonly entityId: string
  readonly key: string
  readonly model: string
  readonly maxTokens: string
  readonly message: string
  readonly count: string
  readonly parallelism: string
  readonly streams: boolean
}

/** A chat with one message, as `POST /v1/chat/completions` takes it. */
export interface ChatBody {
  readonly model: string
  readonly max_tokens?: number
  readonly messages: readonly [{ readonly role: 'user'; readonly content: string }]
  readonly stream?: true
  readonly stream_options?: { readonly include_usage: true }
}

/** What is to be sent, how often, and how many at once. */
export interface RunRequest {
  readonly caller: Caller
  readonly body: ChatBody
  readonly count: number
  readonly parallelism: number
}

/** What is wrong, by field. */
export type DraftErrors = { readonly [field in keyof Draft]?: string }

export const MAX_REQUESTS = 200
export const MAX_PARALLELISM = 20
const MAX_TOKENS = 1_000_000

/** What a draft asks for, or its mistakes. */
export const parseDraft = (
  draft: Draft,
): { readonly plan: RunRequest } | { readonly mistakes: DraftErrors } => {
  const mistakes = errorsOf(draft)
  if (Object.keys(mistakes).length > 0) return { mistakes }
  const { maxTokens, message, streams } = draft
  return {
    plan: {
      caller: callerOf(draft),
      body: {
        model: draft.model.trim(),
        ...(maxTokens.trim() !== '' && { max_tokens: Number(maxTokens) }),
        messages: [{ role: 'user', content: message }],
        ...(streams && { stream: true, stream_options: { include_usage: true } }),
      },
      count: Number(draft.count),
      parallelism: Number(draft.parallelism),
    },
  }
}

/** Who the draft names; the id or the key may still be empty. */
export const callerOf = ({ callerKind, entityId, key }: Draft): Caller =>
  callerKind === 'entity' ? { kind: 'entity', id: entityId.trim() } : { kind: 'key', key: key.trim() }

const errorsOf = ({ callerKind, ...draft }: Draft): DraftErrors => {
  const { maxTokens } = draft
  const wrong: Record<string, string | false> = {
    entityId:
      callerKind === 'entity' && draft.entityId.trim() === '' && 'Enter the entity to send requests as.',
    key: callerKind === 'key' && keyError(draft.key.trim()),
    model: draft.model.trim() === '' && 'Choose a model.',
    message: draft.message === '' && 'Write a message.',
    maxTokens:
      maxTokens.trim() !== '' && !isWhole(maxTokens, MAX_TOKENS) && `Up to ${MAX_TOKENS}, or nothing.`,
    count: !isWhole(draft.count, MAX_REQUESTS) && `1 to ${MAX_REQUESTS}.`,
    parallelism: !isWhole(draft.parallelism, MAX_PARALLELISM) && `1 to ${MAX_PARALLELISM}.`,
  }
  return Object.fromEntries(Object.entries(wrong).filter(([, mistake]) => mistake !== false))
}

/** A header takes printable ASCII only. */
const keyError = (key: string): string | false => {
  if (key === '') return 'Paste a key.'
  return !/^[\x21-\x7e]+$/.test(key) && 'A key has no spaces and no letters beyond ASCII.'
}

const isWhole = (text: string, most: number): boolean =>
  /^\d+$/.test(text.trim()) && within(Number(text), most)

const within = (value: number, most: number): boolean => value >= 1 && value <= most
