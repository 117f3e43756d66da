import type { ModelApi, ModelCharge, ModelEvents, ModelProblem } from '../../core/ports/model-backend.ts'
import type { StreamReader } from '../apis/wire-api.ts'
import { UpstreamFailure, type UpstreamResponse } from '../upstream/exchange.ts'
import { createForwardedBytes, type ForwardedBytes, type ForwardedPart, joined } from './forwarded-bytes.ts'
import { type CountText, createStreamCharge, type StreamCharge } from './stream-charge.ts'
import { type CreateStreamTimer, createStreamTimer, type StreamTimer } from './stream-timer.ts'

/** A response of an upstream that is an event stream. */
export interface UpstreamStream {
  readonly response: UpstreamResponse
  readonly reader: StreamReader
  readonly api: ModelApi
  readonly requestId: string
  /** Of the prompt, as counted by zael: charged with the counted output if the upstream reports no usage. */
  readonly inputTokens: number
  /** The error that a client receives for a failure of this upstream. */
  problemOf(failure: UpstreamFailure): ModelProblem
  /** Called once when a stream that had begun has ended, to log it. */
  onEnd?(end: StreamEnd): void
}

export type StreamEnd =
  | { readonly kind: 'complete' }
  /** The client has received an error: the upstream's (`failure` is undefined) or zael's. */
  | { readonly kind: 'failed'; readonly problem: ModelProblem; readonly failure: UpstreamFailure | undefined }
  /** The client has disconnected. */
  | { readonly kind: 'left' }

export interface StreamSettings {
  readonly countText: CountText
  /** A comment is sent after this time without a byte to the client. */
  readonly heartbeatMs: number
  readonly createTimer?: CreateStreamTimer
}

export type StreamStart =
  | { readonly kind: 'begun'; readonly events: ModelEvents }
  /** Nothing was sent: another upstream can be tried. The exchange is over. */
  | {
      readonly kind: 'failed'
      readonly problem: ModelProblem
      /** undefined: the upstream sent the error. `aborted`: the caller has disconnected. */
      readonly failure: UpstreamFailure | undefined
      readonly charge: ModelCharge
    }

/** From the upstream's headers to those for the client, if no event arrives before. */
const HOLD_BACK_MS = 15_000

/** How long a whole response waits for its usage and the end of the stream. */
const SETTLE_MS = 2_000

/** In bytes. What follows the end of a stream is read up to this size, so that its connection can be used again. */
const MAX_REST = 64 * 1024

type Phase =
  /** Nothing is sent yet. */
  | 'held'
  | 'open'
  /** The response is whole. */
  | 'settling'
  | 'over'

interface Forwarder {
  readonly stream: UpstreamStream
  readonly settings: StreamSettings
  readonly charge: StreamCharge
  readonly forwarded: ForwardedBytes
  readonly timer: StreamTimer
  readonly begin: (start: StreamStart) => void
  phase: Phase
  /** A chunk of the upstream is awaited. */
  isReading: boolean
  /** Bytes that nobody awaits yet. */
  ready: ForwardedPart
  /** Resolves the promise of `next`. */
  taker: ((part: ForwardedPart) => void) | undefined
  /** The time to settle has passed while the client did not read. */
  isLate: boolean
}

/**
 * Waits for the first event with data or the first comment, but at most `HOLD_BACK_MS`. Then the stream has begun: its bytes
 * pass as they arrive, in parts of whole events, and later failures are events. Never rejects.
 */
export const beginStream = (stream: UpstreamStream, settings: StreamSettings): Promise<StreamStart> =>
  new Promise((begin) => {
    const { reader, inputTokens, api, requestId } = stream
    const charge = createStreamCharge(reader, inputTokens, settings.countText)
    const timer = (settings.createTimer ?? createStreamTimer)(() => onTime(forwarder))
    const forwarder: Forwarder = {
      stream,
      settings,
      charge,
      forwarded: createForwardedBytes({ reader, charge, api, requestId }),
      timer,
      begin,
      phase: 'held',
      isReading: false,
      ready: undefined,
      taker: undefined,
      isLate: false,
    }
    timer.start(HOLD_BACK_MS)
    read(forwarder)
  })

const eventsOf = (forwarder: Forwarder): ModelEvents => ({
  next() {
    const { ready } = forwarder
    if (ready !== undefined || forwarder.phase === 'over') {
      forwarder.ready = undefined
      return Promise.resolve(ready)
    }
    return new Promise((taker) => {
      forwarder.taker = taker
      read(forwarder)
    })
  },
  hasEnded: () => forwarder.phase === 'over' && forwarder.ready === undefined,
  cancel: () => leave(forwarder),
  charge: () => forwarder.charge.result(),
})

/** Reads one chunk: no more than the client takes. */
const read = (forwarder: Forwarder): void => {
  if (forwarder.isReading) return
  forwarder.isReading = true
  if (forwarder.isLate) forwarder.timer.start(SETTLE_MS)
  forwarder.isLate = false
  forwarder.stream.response.read().then(
    (chunk) => onChunk(forwarder, chunk),
    (error) => onFailure(forwarder, failureOf(error)),
  )
}

const failureOf = (error: unknown): UpstreamFailure =>
  error instanceof UpstreamFailure ? error : new UpstreamFailure('reset', { wasSent: true, cause: error })

const onChunk = (forwarder: Forwarder, chunk: Uint8Array | undefined): void => {
  forwarder.isReading = false
  if (forwarder.phase === 'over') return
  if (chunk === undefined) endBody(forwarder, new UpstreamFailure('reset', { wasSent: true }))
  else forward(forwarder, chunk)
}

const onFailure = (forwarder: Forwarder, failure: UpstreamFailure): void => {
  forwarder.isReading = false
  if (forwarder.phase === 'over') return
  if (failure.failure === 'aborted' && forwarder.phase !== 'held') leave(forwarder)
  else {
    forwarder.stream.response.cancel()
    endBody(forwarder, failure)
  }
}

const forward = (forwarder: Forwarder, chunk: Uint8Array): void => {
  const { forwarded, timer } = forwarder
  const events = forwarded.events()
  const part = forwarded.push(chunk)
  if (forwarder.phase === 'held' && forwarded.canBegin()) begin(forwarder)
  const problem = forwarded.failure()
  if (forwarder.phase === 'held' && problem) {
    fail(forwarder, problem, undefined)
    return
  }
  if (forwarded.hasEnded()) {
    complete(forwarder, part)
    timer.start(SETTLE_MS)
    drain(forwarder, 0)
    return
  }
  deliver(forwarder, part)
  const isEvent = forwarded.events() > events
  // an event that the client does not receive, such as usage, must not prolong the stream
  if (isEvent && (part !== undefined || forwarder.phase !== 'settling')) settle(forwarder)
  if (forwarder.taker !== undefined || forwarder.phase === 'held') read(forwarder)
}

/** A whole response waits for its usage. */
const settle = (forwarder: Forwarder): void => {
  if (forwarder.phase === 'held' || !forwarder.forwarded.isSettled()) return
  forwarder.phase = 'settling'
  forwarder.timer.start(SETTLE_MS)
}

/** The body has ended, or failed. */
const endBody = (forwarder: Forwarder, failure: UpstreamFailure): void => {
  const { stream, forwarded } = forwarder
  const problem = stream.problemOf(failure)
  const part = forwarded.end(problem)
  if (forwarder.phase === 'held' && !forwarded.canBegin()) {
    const sent = forwarded.failure()
    fail(forwarder, sent ?? problem, sent ? undefined : failure)
    return
  }
  if (forwarder.phase === 'held') begin(forwarder)
  if (forwarded.isSettled() || forwarded.hasEnded()) complete(forwarder, part)
  else end(forwarder, part, { kind: 'failed', problem, failure })
}

const begin = (forwarder: Forwarder): void => {
  forwarder.phase = 'open'
  forwarder.timer.start(forwarder.settings.heartbeatMs)
  forwarder.begin({ kind: 'begun', events: eventsOf(forwarder) })
}

const fail = (forwarder: Forwarder, problem: ModelProblem, failure: UpstreamFailure | undefined): void => {
  close(forwarder)
  forwarder.stream.response.cancel()
  void forwarder.charge.result().then((charge) => {
    forwarder.begin({ kind: 'failed', problem, failure, charge })
  })
}

/** The client has received the whole response, or the upstream's own error. */
const complete = (forwarder: Forwarder, part: ForwardedPart): void => {
  const problem = forwarder.forwarded.failure()
  end(forwarder, part, problem ? { kind: 'failed', problem, failure: undefined } : { kind: 'complete' })
}

const end = (forwarder: Forwarder, part: ForwardedPart, how: StreamEnd): void => {
  close(forwarder)
  deliver(forwarder, part)
  take(forwarder, undefined)
  forwarder.stream.onEnd?.(how)
}

/** The client has disconnected. */
const leave = (forwarder: Forwarder): void => {
  if (forwarder.phase === 'over') return
  forwarder.stream.response.cancel()
  forwarder.ready = undefined
  end(forwarder, undefined, { kind: 'left' })
}

const close = (forwarder: Forwarder): void => {
  forwarder.phase = 'over'
  forwarder.timer.stop()
}

const deliver = (forwarder: Forwarder, part: ForwardedPart): void => {
  if (part === undefined) return
  if (forwarder.phase === 'open') forwarder.timer.start(forwarder.settings.heartbeatMs)
  if (forwarder.taker === undefined) forwarder.ready = joined(forwarder.ready, part)
  else take(forwarder, part)
}

const take = (forwarder: Forwarder, part: ForwardedPart): void => {
  const { taker } = forwarder
  forwarder.taker = undefined
  taker?.(part)
}

const onTime = (forwarder: Forwarder): void => {
  if (forwarder.phase === 'held') beginLate(forwarder)
  else if (forwarder.phase === 'open') beat(forwarder)
  else if (forwarder.phase === 'over' || forwarder.isReading) {
    forwarder.stream.response.cancel()
    if (forwarder.phase === 'settling') endBody(forwarder, new UpstreamFailure('idle', { wasSent: true }))
  } else forwarder.isLate = true
}

/** The upstream has sent its headers and has been silent since. */
const beginLate = (forwarder: Forwarder): void => {
  const { heartbeatMs } = forwarder.settings
  begin(forwarder)
  if (heartbeatMs <= HOLD_BACK_MS) beat(forwarder)
  else forwarder.timer.start(heartbeatMs - HOLD_BACK_MS)
}

/** Not while the client is slow: comments would pile up. */
const beat = (forwarder: Forwarder): void => {
  const isAwaited = forwarder.taker !== undefined || forwarder.ready === undefined
  const comment = isAwaited ? forwarder.forwarded.heartbeat() : undefined
  if (comment === undefined) forwarder.timer.start(forwarder.settings.heartbeatMs)
  else deliver(forwarder, comment)
}

/** Reads the rest of the body, which is empty in general. */
const drain = (forwarder: Forwarder, size: number): void => {
  const { stream, timer } = forwarder
  stream.response.read().then(
    (chunk) => {
      if (chunk === undefined) timer.stop()
      else if (size + chunk.length > MAX_REST) onTime(forwarder)
      else drain(forwarder, size + chunk.length)
    },
    () => timer.stop(),
  )
}
