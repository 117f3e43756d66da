import { setMaxListeners } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import { type HttpClient, NoResponse } from './http-client.ts'
import type { LoadOptions } from './options.ts'
import { callersAt, type Stage, shareOf, totalMs } from './stages.ts'
import type { Tally } from './tally.ts'

export type Content = Pick<LoadOptions, 'isCheck' | 'model' | 'message' | 'maxTokens' | 'payloadCacheSize'>

const check = ({ model, maxTokens }: Content): object => ({
  resource: model,
  cost: { requests: 1, tokens: maxTokens },
})

/** The first body contains the message as given, the others append their number. */
const chat = ({ model, message, maxTokens }: Content, index: number): object => ({
  model,
  max_tokens: maxTokens,
  messages: [{ role: 'user', content: index === 0 ? message : `${message} (${index})` }],
})

/** All bodies to send, different from each other. Checks do not differ, so there is only one. */
export const createPayloads = (content: Content): readonly Buffer[] => {
  const length = content.isCheck ? 1 : content.payloadCacheSize
  return Array.from({ length }, (_, index) =>
    Buffer.from(JSON.stringify(content.isCheck ? check(content) : chat(content, index))),
  )
}

export interface Callers {
  readonly client: HttpClient
  readonly tally: Tally
  readonly nodes: number
  readonly apiKeys: readonly string[]
  readonly payloads: readonly Buffer[]
  readonly stages: readonly Stage[]
  /** The number of this process: it runs its share of the callers. */
  readonly process: number
  readonly processes: number
  /** Called after each response. */
  readonly delayMs: number
  /** At least 0, below 1. */
  readonly random: () => number
  /** Ends the run early. */
  readonly signal: AbortSignal
}

const ADJUST_EVERY_MS = 50

/** Without a pause, a node that rejects connections would receive thousands of attempts per second. */
const PAUSE_AFTER_FAILURE_MS = 100

/** How long to wait for responses after an interruption. */
const GRACE_WHEN_STOPPED_MS = 2_000

const isAbort = (error: unknown): boolean => error instanceof Error && error.name === 'AbortError'

/** Resolves after the time, or on the signal. */
const waitFor = async (ms: number, signal: AbortSignal): Promise<void> => {
  await pause(ms, undefined, { signal }).catch((error: unknown) => {
    if (!isAbort(error)) throw error
  })
}

/** Sends one request to a random node with a random key. False: no response. */
const send = async ({ client, tally, nodes, apiKeys, payloads, random }: Callers): Promise<boolean> => {
  const below = (count: number): number => Math.floor(random() * count)
  const route = { node: below(nodes), key: below(apiKeys.length) }
  const apiKey = apiKeys[route.key]
  const body = payloads[below(payloads.length)]
  if (apiKey === undefined || body === undefined) throw new RangeError('nothing to send')
  const sentMs = performance.now()
  try {
    const status = await client.send({ node: route.node, apiKey, body })
    tally.responded(route, status, performance.now() - sentMs)
    return true
  } catch (error) {
    if (!(error instanceof NoResponse)) throw error
    tally.failed(route, error.kind)
    return false
  }
}

const pauseAfter = (hasResponse: boolean, { delayMs }: Callers): number =>
  hasResponse ? delayMs : Math.max(delayMs, PAUSE_AFTER_FAILURE_MS)

/**
 * Runs the callers of one process, as many as the stage names, and waits for the responses to what they sent. After an
 * interruption, a request without a response counts as `unfinished`. Resolves to how long it took, in ms.
 */
export const runCallers = async (callers: Callers): Promise<number> => {
  const begunMs = performance.now()
  const ending = new AbortController()
  const signal = AbortSignal.any([callers.signal, ending.signal])
  // every waiting caller adds a listener
  setMaxListeners(0, signal)
  const running = new Map<number, Promise<void>>()
  const wanted = (): number => {
    const all = callersAt(callers.stages, performance.now() - begunMs)
    return signal.aborted ? 0 : shareOf(all, callers.process, callers.processes)
  }
  const call = async (caller: number): Promise<void> => {
    while (caller < wanted()) {
      const ms = pauseAfter(await send(callers), callers)
      if (ms > 0) await waitFor(ms, signal)
    }
    running.delete(caller)
  }
  const endMs = totalMs(callers.stages)
  for (let elapsedMs = 0; elapsedMs < endMs && !signal.aborted; elapsedMs = performance.now() - begunMs) {
    for (let caller = 0; caller < wanted(); caller++) {
      if (!running.has(caller)) running.set(caller, call(caller))
    }
    await waitFor(Math.min(ADJUST_EVERY_MS, endMs - elapsedMs), signal)
  }
  ending.abort()
  await finish(callers, running)
  return performance.now() - begunMs
}

/** Waits for the responses under way, each of which the client bounds by its timeout; an interruption shortens that. */
const finish = async ({ client, signal }: Callers, running: ReadonlyMap<number, Promise<void>>) => {
  const hurrying = new AbortController()
  const hurry = async (): Promise<void> => {
    await waitFor(GRACE_WHEN_STOPPED_MS, hurrying.signal)
    client.close()
  }
  if (signal.aborted) void hurry()
  else signal.addEventListener('abort', hurry, { once: true, signal: hurrying.signal })
  try {
    await Promise.all(running.values())
  } finally {
    hurrying.abort()
    client.close()
  }
}
