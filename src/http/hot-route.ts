import type { Context } from 'hono'
import type { AbortSignalLike } from '../core/ports/model-backend.ts'
import type { Eventual } from '../core/ports/when-ready.ts'
import type { HeaderOf } from '../web/client.ts'
import type { ActingIdentity, AppEnv, Identity } from './app-dependencies.ts'
import { type Reply, type ResponseContext, respond } from './response.ts'

/** A request on a hot route, as its handler reads it. */
export interface HotRequest {
  readonly acting: ActingIdentity
  readonly requestId: string
  readonly header: HeaderOf
  /** Aborts when the client disconnects. Created on demand: it takes longer than a decision. */
  readonly signal: () => AbortSignalLike
}

/** Responds to a request with a valid body, at once if nothing must be waited for. Throws, or rejects, with the errors of the route. */
export type HotHandler<B> = (body: B, request: HotRequest) => Eventual<Reply>

/** The response of a hot route in Hono. */
export const respondHot = async <B>(
  c: Context<AppEnv>,
  handler: HotHandler<B>,
  body: B,
): Promise<Response> => {
  const reply = await handler(body, {
    acting: c.get('acting'),
    requestId: c.get('requestId'),
    header: (name) => c.req.header(name),
    signal: () => c.req.raw.signal,
  })
  return respond(c.get('responseContext'), reply)
}

/**
 * A route that most requests of a busy server call: Hono calls it on every platform, and a Node server calls it without Hono
 * (`src/http/node/direct-listener.ts`).
 */
export interface HotRoute {
  readonly path: string
  /** `body` is the parsed JSON. Otherwise as a `HotHandler`. */
  respond(body: unknown, request: HotRequest): Eventual<Reply>
}

/** The hot routes, and the steps of the app that a request passes before and after them. */
export interface HotRoutes {
  readonly routes: readonly HotRoute[]
  /** The maximum size of a body by its path, in bytes. */
  boundOf(path: string): number
  /** The context of the response. Throws if the request must be rejected. */
  begin(header: HeaderOf): ResponseContext
  /** Throws, or rejects, if the request must be rejected. */
  identify(header: HeaderOf): Eventual<Identity>
  /** The reply to an error of a route. */
  replyTo(error: unknown, request: FailedRequest): Reply
}

export interface FailedRequest {
  readonly requestId: string
  readonly method: string
  readonly path: string
}
