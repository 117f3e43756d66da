import type { Api } from '../../api/api.ts'
import type { Caller, ChatBody } from '../asking/draft.ts'
import { type Answered, readAnswer, unanswered } from './outcome.ts'

export const CHAT_PATH = 'v1/chat/completions'

/** The headers that ask as `caller`; the page's own token is sent where they hold none. */
export const callerHeaders = (caller: Caller): Record<string, string> =>
  caller.kind === 'entity' ? { 'x-zael-entity': caller.id } : { authorization: `Bearer ${caller.key}` }

/** Sends one chat. Undefined: it was stopped. */
export const sendChat = async (
  api: Api,
  caller: Caller,
  body: ChatBody,
  signal: AbortSignal,
): Promise<Answered | undefined> => {
  try {
    const answer = await api.fetch(CHAT_PATH, {
      method: 'POST',
      headers: { ...callerHeaders(caller), 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal,
    })
    return readAnswer(answer.status, answer.headers, await answer.text())
  } catch (error) {
    if (signal.aborted) return undefined
    return unanswered(error instanceof Error ? error.message : String(error))
  }
}
