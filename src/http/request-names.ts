import type { JsonObject } from '../core/model/json.ts'
import type { HeaderOf } from '../web/client.ts'
import type { ActingIdentity } from './app-dependencies.ts'

/**
 * The names of a request by which policies on users and sessions are selected: any text that the client sends. The limiter
 * turns them into ids, where such a policy exists.
 */
export interface RequestNames {
  readonly user: string | undefined
  readonly session: string | undefined
}

/** The names of a request of a caller: the user of a token takes precedence, because the client cannot choose it. */
export const namesOf = ({ token }: Pick<ActingIdentity, 'token'>, names: RequestNames): RequestNames =>
  token === undefined || token.user === null ? names : { ...names, user: token.user }

/** The names in the headers. */
export const headerNames = (header: HeaderOf): RequestNames => ({
  user: header('x-user-id') || undefined,
  session: header('x-session-id') || undefined,
})

/**
 * The names in the body of a request to a model, or else in its headers. The user is the first of OpenAI's
 * `safety_identifier` and `user`, and of Anthropic's `metadata.user_id`.
 */
export const modelRequestNames = (body: JsonObject, header: HeaderOf): RequestNames => {
  const { safety_identifier, user, metadata, session } = body
  const inMetadata = typeof metadata === 'object' && metadata !== null && 'user_id' in metadata
  return {
    user: firstText([
      safety_identifier,
      user,
      inMetadata ? metadata.user_id : undefined,
      header('x-user-id'),
    ]),
    session: firstText([session, header('x-session-id')]),
  }
}

const firstText = (values: readonly unknown[]): string | undefined =>
  values.find((value): value is string => typeof value === 'string' && value !== '')

/** The body to send upstream: `session` is zael's own field, and providers reject fields that they do not know. */
export const withoutSession = (body: JsonObject): JsonObject => {
  if (body.session === undefined) return body
  const { session: _, ...rest } = body
  return rest
}

/** The headers that name a user and a session, for the OpenAPI document. */
export const NAME_HEADERS = [
  { name: 'X-User-Id', what: 'The user of the key', selects: 'policies on users' },
  { name: 'X-Session-Id', what: 'The session', selects: 'policies on sessions' },
].map(({ name, what, selects }) => ({
  in: 'header' as const,
  name,
  description: `${what}, if the body names none: selects ${selects}`,
  schema: { type: 'string' as const },
}))
