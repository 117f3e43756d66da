import type { Clock } from '../../../core/ports/platform.ts'
import type { ClockSkew } from './clock-skew.ts'
import type { Deadlines } from './deadlines.ts'
import type { Gate } from './gate.ts'

/** What sends a signed request, as the SDK has it. */
export type SendRequest<Request, Answer> = (
  request: Request,
  options?: { readonly abortSignal?: AbortSignal },
) => Promise<Answer>

/**
 * Stands between the SDK and the network, where a call is really sent: waits for room, starts the deadline (it ends
 * with the answer's body), and reads the store's clock off the answer.
 */
export const guardRequests =
  <Request, Answer>(
    send: SendRequest<Request, Answer>,
    guard: {
      readonly gate: Gate
      readonly deadlines: Deadlines
      readonly deadlineMs: number
      readonly skew: ClockSkew
      readonly clock: Clock
    },
  ): SendRequest<Request, Answer> =>
  async (request, options) => {
    const leave = await guard.gate.enter()
    const abort = new AbortController()
    const stop = guard.deadlines.start(guard.deadlineMs, () => abort.abort())
    const over = (): void => {
      stop()
      leave()
    }
    try {
      const sentAt = guard.clock.now()
      const answer = await send(request, { ...options, abortSignal: abort.signal })
      const { date, body } = partsOf(answer)
      guard.skew.observe(sentAt, guard.clock.now(), date)
      if (body === undefined) over()
      else body.once('close', over)
      return answer
    } catch (error) {
      over()
      throw error
    }
  }

interface Body {
  once(event: 'close', listener: () => void): unknown
}

const partsOf = (answer: unknown): { readonly date: string | undefined; readonly body: Body | undefined } => {
  const response = field(answer, 'response')
  const date = field(field(response, 'headers'), 'date')
  const body = field(response, 'body')
  return { date: typeof date === 'string' ? date : undefined, body: isOpenBody(body) ? body : undefined }
}

const field = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined

const isOpenBody = (body: unknown): body is Body =>
  typeof field(body, 'once') === 'function' && field(body, 'closed') === false
