import type { Api } from '../../api/api.ts'
import type { Caller } from '../asking/draft.ts'
import { callerHeaders } from '../running/send-chat.ts'
import { byOwner, type LimitState, type OwnedLimits } from './owned-limits.ts'

/** What was found; without limits, why there are none, and whether asking again may help. */
export type Found =
  | { readonly owned: readonly OwnedLimits[] }
  | { readonly error: string; readonly isFinal: boolean }

/** Every limit that a chat of `caller` with `model` meets: its own, its parents', the policies'. Charges and counts nothing. */
export const askLimits = async (
  api: Api,
  caller: Caller,
  model: string,
  signal: AbortSignal,
): Promise<Found> => {
  const answer = await api.fetch('v1/limits/check', {
    method: 'POST',
    headers: { ...callerHeaders(caller), 'content-type': 'application/json' },
    body: JSON.stringify({ resource: model, dry_run: true, cost: { requests: 0, tokens: 0 } }),
    signal,
  })
  const json: unknown = await answer.json().catch(() => undefined)
  const { limits, message } =
    typeof json === 'object' && json !== null ? (json as Record<string, unknown>) : {}
  // The server's tests hold every answer against the schema that the type is made of.
  if (Array.isArray(limits)) return { owned: byOwner(limits as readonly LimitState[]) }
  const error = typeof message === 'string' ? message : `The API returned status ${answer.status}`
  return { error, isFinal: answer.status < 500 }
}
