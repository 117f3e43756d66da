import type { Dispatcher } from 'undici'
import type { ResponseHeaders } from '../../core/ports/model-backend.ts'
import {
  type FailureCause,
  UpstreamFailure,
  type UpstreamRequest,
  type UpstreamResponse,
} from './exchange.ts'

/** In ms. */
export interface ExchangeLimits {
  readonly firstByteMs: number
  readonly idleMs: number
  readonly totalMs: number
}

/** The connections on which exchanges run. */
export interface ExchangeConnections {
  readonly dispatcher: Dispatcher
  /** Whether the request that starts now is the first of a new connection. */
  takeNew(): boolean
}

/** Resolves with the head of the response. Rejects with `UpstreamFailure`. */
export const openExchange = (
  connections: ExchangeConnections,
  request: UpstreamRequest,
  limits: ExchangeLimits,
): Promise<UpstreamResponse> =>
  new Promise((resolve, reject) => {
    const exchange = new Exchange(connections, request, limits, { resolve, reject })
    if (request.signal.aborted) return exchange.fail('aborted')
    const { path, body, headers } = request
    connections.dispatcher.dispatch({ path, method: 'POST', body, headers }, exchange)
  })

/** Bytes that may wait for their reader before the connection is paused. */
const MAX_WAITING_BYTES = 64 * 1024

interface Settlers<T> {
  readonly resolve: (value: T) => void
  readonly reject: (error: UpstreamFailure) => void
}

const NO_HEADERS: ResponseHeaders = {}

/**
 * One request and its response, as a handler of undici. A class, because an object with these closures takes longer to create
 * than the rest of an exchange.
 */
class Exchange implements Dispatcher.DispatchHandler, UpstreamResponse {
  status = 0
  headers = NO_HEADERS
  readonly #connections: ExchangeConnections
  readonly #signal: UpstreamRequest['signal']
  readonly #limits: ExchangeLimits
  readonly #startedMs = performance.now()
  #timer: NodeJS.Timeout
  #head: Settlers<UpstreamResponse> | undefined
  #reader: Settlers<Uint8Array | undefined> | undefined
  #controller: Dispatcher.DispatchController | undefined
  readonly #waiting: Uint8Array[] = []
  #waitingBytes = 0
  /** When the last byte arrived, or reading was resumed; undefined before the first byte. */
  #lastByteMs: number | undefined
  #isOnNewConnection = false
  /** Whether any response has begun, an informational one included. */
  #isAnswered = false
  #isOver = false
  #failure: UpstreamFailure | undefined

  constructor(
    connections: ExchangeConnections,
    { signal }: UpstreamRequest,
    limits: ExchangeLimits,
    head: Settlers<UpstreamResponse>,
  ) {
    this.#connections = connections
    this.#signal = signal
    this.#limits = limits
    this.#head = head
    this.#timer = this.#schedule(Math.min(limits.firstByteMs, limits.idleMs, limits.totalMs))
    signal.addEventListener('abort', this.#abort, { once: true })
  }

  readonly #abort = (): void => this.fail('aborted')

  read(): Promise<Uint8Array | undefined> {
    const bytes = this.#waiting.shift()
    if (bytes !== undefined) {
      this.#waitingBytes -= bytes.byteLength
      this.#resume()
      return Promise.resolve(bytes)
    }
    if (this.#failure !== undefined) return Promise.reject(this.#failure)
    if (this.#isOver) return Promise.resolve(undefined)
    return new Promise((resolve, reject) => {
      this.#reader = { resolve, reject }
    })
  }

  cancel(): void {
    this.fail('aborted')
  }

  /** Ends the exchange early: bytes that were not read are dropped, and its connection is closed. */
  fail(cause: FailureCause): void {
    if (this.#isOver) return
    this.#waiting.length = 0
    const failure = new UpstreamFailure(cause, { wasSent: this.#wasSent() })
    this.#end(failure)
    this.#controller?.abort(failure)
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    this.#isOnNewConnection = this.#connections.takeNew()
    if (this.#failure !== undefined) controller.abort(this.#failure)
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Readonly<Record<string, string | string[] | undefined>>,
  ): void {
    this.#isAnswered = true
    // others only inform about the response to come
    if (status < 200) return
    this.status = status
    this.headers = joined(headers)
    this.#head?.resolve(this)
    this.#head = undefined
  }

  onResponseData(controller: Dispatcher.DispatchController, bytes: Uint8Array): void {
    this.#lastByteMs = performance.now()
    const reader = this.#reader
    if (reader !== undefined) {
      this.#reader = undefined
      reader.resolve(bytes)
      return
    }
    this.#waiting.push(bytes)
    this.#waitingBytes += bytes.byteLength
    if (this.#waitingBytes >= MAX_WAITING_BYTES) controller.pause()
  }

  onResponseEnd(): void {
    this.#end(undefined)
  }

  onResponseError(_controller: unknown, error: Error): void {
    const wasSent = this.#wasSent()
    const wasStale = wasSent && this.#isStale()
    this.#end(new UpstreamFailure(causeOf(error, wasSent), { wasSent, wasStale, cause: error }))
  }

  #isStale(): boolean {
    if (this.#isOnNewConnection || this.#isAnswered) return false
    return performance.now() - this.#startedMs < MAX_STALE_MS
  }

  checkTime(): void {
    const now = performance.now()
    const totalLeft = this.#limits.totalMs - (now - this.#startedMs)
    const silenceLeft = this.#silenceLeft(now)
    if (totalLeft < 1) this.fail('total')
    else if (silenceLeft < 1) this.fail(this.#lastByteMs === undefined ? 'first_byte' : 'idle')
    // the first byte may arrive now, and then the next is due in `idleMs`
    else this.#timer = this.#schedule(Math.min(totalLeft, silenceLeft, this.#limits.idleMs))
  }

  /** Silence that the reader causes does not count. */
  #silenceLeft(now: number): number {
    const { firstByteMs, idleMs } = this.#limits
    if (this.#lastByteMs === undefined) return firstByteMs - (now - this.#startedMs)
    return this.#isPaused() ? idleMs : idleMs - (now - this.#lastByteMs)
  }

  #schedule(ms: number): NodeJS.Timeout {
    return setTimeout(checkTime, Math.min(ms, MAX_TIMER_MS), this)
  }

  #isPaused(): boolean {
    return this.#controller?.paused === true
  }

  #resume(): void {
    if (!this.#isPaused() || this.#waitingBytes >= MAX_WAITING_BYTES) return
    this.#lastByteMs = performance.now()
    this.#controller?.resume()
  }

  #wasSent(): boolean {
    return this.#controller !== undefined
  }

  #end(failure: UpstreamFailure | undefined): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#failure = failure
    clearTimeout(this.#timer)
    this.#signal.removeEventListener('abort', this.#abort)
    if (failure === undefined) this.#reader?.resolve(undefined)
    else {
      this.#head?.reject(failure)
      this.#reader?.reject(failure)
    }
    this.#head = undefined
    this.#reader = undefined
  }
}

/**
 * In ms: the rejection of a connection that was closed before arrives within a round trip. A reset that comes later interrupts
 * an upstream at its work.
 */
const MAX_STALE_MS = 1_000

/** A longer one would fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1

const checkTime = (exchange: Exchange): void => exchange.checkTime()

const joined = (headers: Readonly<Record<string, string | string[] | undefined>>): ResponseHeaders => {
  const all: Record<string, string> = {}
  for (const name in headers) {
    const value = headers[name]
    if (value !== undefined) all[name] = typeof value === 'string' ? value : value.join(', ')
  }
  return all
}

const causeOf = (error: Error, wasSent: boolean): FailureCause => {
  if ('code' in error && error.code === 'UND_ERR_CONNECT_TIMEOUT') return 'connect_timeout'
  return wasSent ? 'reset' : 'connect'
}
