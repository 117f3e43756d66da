import type { IncomingMessage, ServerResponse } from 'node:http'
import type { HeaderOf } from '../../web/client.ts'
import type { ActingIdentity, Identity } from '../app-dependencies.ts'
import { checkMediaType, parseJson } from '../body/read-json.ts'
import type { HotRoute, HotRoutes } from '../hot-route.ts'
import { bodyBoundOf } from '../middleware.ts'
import type { ResponseContext } from '../response.ts'
import { headerReader, readText, usualLength } from './incoming.ts'
import { disconnection, send } from './outgoing.ts'

/**
 * Serves a request, or calls `leave`, before it has read or changed anything, for a request that the app must serve. The promise
 * resolves when the response is complete; it never rejects.
 */
export type DirectListener = (
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  leave: () => void,
) => Promise<void> | undefined

/** A request that has passed all checks, and whose body is not read yet. */
interface Admitted {
  readonly route: HotRoute
  readonly header: HeaderOf
  readonly context: ResponseContext
  readonly acting: ActingIdentity
}

/**
 * Serves the hot routes of a Node server without Hono, `Request`, `Response` and `Headers`, which take a third of a check's
 * processor time (docs/decisions, 058). It serves only the usual request: a caller's key, a JSON body of a declared length within the bound.
 * All others, and those that are rejected before their body is read, are left to the app, which runs the same checks.
 */
export const createDirectListener = (hot: HotRoutes): DirectListener => {
  const routes = new Map(hot.routes.map((route) => [route.path, route]))
  const admit = createAdmission(hot)
  return (incoming, outgoing, leave) => {
    const route = incoming.method === 'POST' ? routes.get(incoming.url ?? '') : undefined
    const admitted = route && admit(route, incoming)
    if (admitted instanceof Promise)
      return admitted.then((late) => (late ? serve(hot, late, incoming, outgoing) : leave()))
    return admitted ? serve(hot, admitted, incoming, outgoing) : void leave()
  }
}

/** Returns undefined for a request that must be left to the app; a promise, which never rejects, if its key must be read. */
const createAdmission =
  (hot: HotRoutes) =>
  (route: HotRoute, incoming: IncomingMessage): Admitted | undefined | Promise<Admitted | undefined> => {
    const length = usualLength(incoming)
    if (length === 0 || length > bodyBoundOf(route.path, hot.maxBodyBytes)) return undefined
    const header = headerReader(incoming)
    const admitted = (identity: Identity, context: ResponseContext): Admitted | undefined =>
      identity.kind === 'caller' ? { route, header, context, acting: identity } : undefined
    try {
      checkMediaType(header)
      const context = hot.begin(header)
      const identity = hot.identify(header)
      if (!(identity instanceof Promise)) return admitted(identity, context)
      return identity.then(
        (late) => admitted(late, context),
        () => undefined,
      )
    } catch {
      return undefined
    }
  }

const serve = async (
  hot: HotRoutes,
  { route, header, context, acting }: Admitted,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> => {
  const { requestId } = context
  try {
    const body = await parseJson(await readText(incoming))
    const signal = () => disconnection(outgoing)
    const reply = await route.respond(body, { acting, requestId, header, signal })
    // only a stream is still being sent, and a promise delays every request
    const sending = send(outgoing, context, reply)
    if (sending !== undefined) await sending
  } catch (error) {
    const reply = hot.replyTo(error, { requestId, method: 'POST', path: route.path })
    if (outgoing.headersSent) outgoing.destroy()
    else await send(outgoing, context, reply)
  }
}
