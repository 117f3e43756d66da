import type { IncomingMessage, ServerResponse } from 'node:http'
import { type Eventual, whenReady } from '../../core/ports/when-ready.ts'
import type { HeaderOf } from '../../web/client.ts'
import type { ActingIdentity, Identity } from '../app-dependencies.ts'
import { checkMediaType, parseJson } from '../body/read-json.ts'
import type { HotRequest, HotRoute, HotRoutes } from '../hot-route.ts'
import type { Reply, ResponseContext } from '../response.ts'
import { headerReader, readText, usualLength } from './incoming.ts'
import { disconnection, send } from './outgoing.ts'

/** The server of a direct listener. */
export interface DirectServer {
  /** Lets the app serve a request, of which nothing has been read, counted or charged. */
  leave(incoming: IncomingMessage, outgoing: ServerResponse): void
  /** Adds work that a stopping server must wait for. */
  track(work: Promise<void>): void
}

/** Serves a request, or leaves it to the app. Never throws. */
export type DirectListener = (
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  server: DirectServer,
) => void

/** A request that has passed all checks, and whose body is not read yet. */
interface Admitted {
  readonly route: HotRoute
  /** The length of the body in bytes. */
  readonly length: number
  readonly header: HeaderOf
  readonly context: ResponseContext
  readonly acting: ActingIdentity
}

/**
 * Serves the hot routes of a Node server without Hono, `Request`, `Response` and `Headers`, which take a third of a check's
 * processor time (docs/decisions, 058). It serves only the usual request: a caller's key, a JSON body of a declared length within the bound.
 * All others, and those that are rejected before their body is read, are left to the app, which runs the same checks.
 *
 * From the last byte of the body to the response, everything happens in one call, unless something must be waited for.
 */
export const createDirectListener = (hot: HotRoutes): DirectListener => {
  const routes = new Map(hot.routes.map((route) => [route.path, route]))
  const admit = createAdmission(hot)
  return (incoming, outgoing, server) => {
    const proceed = (admitted: Admitted | undefined): void => {
      if (admitted === undefined) server.leave(incoming, outgoing)
      else serve(hot, admitted, incoming, outgoing, server)
    }
    const route = incoming.method === 'POST' ? routes.get(incoming.url ?? '') : undefined
    const admitted = route && admit(route, incoming)
    if (admitted instanceof Promise) server.track(admitted.then(proceed))
    else proceed(admitted)
  }
}

/** Returns undefined for a request that must be left to the app; a promise, which never rejects, if its key must be read. */
const createAdmission =
  (hot: HotRoutes) =>
  (route: HotRoute, incoming: IncomingMessage): Eventual<Admitted | undefined> => {
    const length = usualLength(incoming)
    if (length === 0 || length > hot.boundOf(route.path)) return undefined
    const header = headerReader(incoming)
    try {
      checkMediaType(header)
      const context = hot.begin(header)
      const admitted = (identity: Identity): Admitted | undefined =>
        identity.kind === 'caller' ? { route, length, header, context, acting: identity } : undefined
      const identity = hot.identify(header)
      return identity instanceof Promise ? identity.then(admitted, () => undefined) : admitted(identity)
    } catch {
      return undefined
    }
  }

const serve = (
  hot: HotRoutes,
  { route, length, header, context, acting }: Admitted,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  { track }: DirectServer,
): void => {
  const { requestId } = context
  const request: HotRequest = { acting, requestId, header, signal: () => disconnection(outgoing) }
  const deliver = (reply: Reply): Eventual<void> => send(outgoing, context, reply)
  const fail = (error: unknown): Eventual<void> => {
    const reply = hot.replyTo(error, { requestId, method: 'POST', path: route.path })
    if (!outgoing.headersSent) return deliver(reply)
    outgoing.destroy()
  }
  const respond = (text: string): void => {
    try {
      const body = parseJson(text)
      const reply = whenReady(body, (parsed) => route.respond(parsed, request))
      const sending = whenReady(reply, deliver)
      if (sending instanceof Promise) track(sending.catch(fail))
    } catch (error) {
      void fail(error)
    }
  }
  readText(incoming, length, respond, fail)
}
