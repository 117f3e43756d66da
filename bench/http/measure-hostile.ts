import autocannon from 'autocannon'
import type { ChildServer } from '../child-server.ts'
import { median } from '../measure.ts'
import { adminCalls } from './admin-calls.ts'
import { HOSTILE_BODIES, type HostileBody } from './hostile-bodies.ts'
import { addCaller, headersOf, type OtherCaller } from './other-caller.ts'
import { type LoopBlock, longestBlock, startZael } from './servers.ts'

export interface HostileRow {
  readonly name: string
  /** The status of the responses to hostile requests. */
  readonly status: string
  readonly hostilePerSecond: number
  readonly p50AloneMs: number
  readonly p50UnderAttackMs: number
  readonly ratio: number
  readonly longestBlockMs: number
  /** Processor time; null if the platform does not report it. */
  readonly longestBlockCpuMs: number | null
}

export interface HostileOptions {
  readonly seconds: number
  readonly rounds: number
}

const [OTHER, HOSTILE] = ['sk-bench-other-0123456789', 'sk-bench-hostile-0123456789']
const HOSTILE_CONNECTIONS = 2

/** Measures other callers while one caller sends hostile bodies, two at a time, one kind of body after the other. */
export const measureHostile = async (
  { seconds, rounds }: HostileOptions,
  onProgress: (text: string) => void,
): Promise<readonly HostileRow[]> => {
  const zael = await startZael({ isWatched: true })
  try {
    const other = await prepare(zael)
    // both routes once: the first chat loads the tokenizer's tables
    await attack(zael, HOSTILE_BODIES.at(-1) ?? raise(), 1)
    await other.p50Ms(2)
    const rows: HostileRow[] = []
    for (const body of HOSTILE_BODIES) {
      onProgress(body.name)
      rows.push(await measureBody({ zael, other, body }, seconds, rounds))
    }
    return rows
  } finally {
    await zael.stop()
  }
}

interface Scene {
  readonly zael: ChildServer
  readonly other: OtherCaller
  readonly body: HostileBody
}

const measureBody = async (
  { zael, other, body }: Scene,
  seconds: number,
  rounds: number,
): Promise<HostileRow> => {
  const turns: { alone: number; under: number; block: LoopBlock; attack: Attack }[] = []
  for (let round = 0; round < rounds; round++) {
    const alone = await other.p50Ms(seconds)
    await longestBlock(zael)
    const [under, hostile] = await Promise.all([other.p50Ms(seconds), attack(zael, body, seconds)])
    turns.push({ alone, under, block: await longestBlock(zael), attack: hostile })
  }
  return {
    name: body.name,
    status: turns[0]?.attack.status ?? '',
    hostilePerSecond: median(turns.map(({ attack }) => attack.perSecond)),
    p50AloneMs: median(turns.map(({ alone }) => alone)),
    p50UnderAttackMs: median(turns.map(({ under }) => under)),
    ratio: median(turns.map(({ alone, under }) => under / alone)),
    longestBlockMs: Math.max(...turns.map(({ block }) => block.longestBlockMs)),
    longestBlockCpuMs: largest(turns.map(({ block }) => block.longestBlockCpuMs)),
  }
}

const largest = (values: readonly (number | null)[]): number | null =>
  values.reduce((most, value) => (most === null || value === null ? null : Math.max(most, value)))

interface Attack {
  readonly status: string
  readonly perSecond: number
}

const attack = async (
  { url }: ChildServer,
  { path, body }: HostileBody,
  duration: number,
): Promise<Attack> => {
  const result = await autocannon({
    url: `${url}${path}`,
    method: 'POST',
    headers: headersOf(HOSTILE),
    body,
    connections: HOSTILE_CONNECTIONS,
    duration,
  })
  const statuses = Object.keys(result.statusCodeStats ?? {})
  return { status: statuses.join(', ') || 'none yet', perSecond: result.requests.total / duration }
}

/** Adds two keys with large limits and removes the demo's default limits. Returns the other caller. */
const prepare = async (zael: ChildServer): Promise<OtherCaller> => {
  const call = adminCalls(zael.url)
  await call('DELETE', '/api/policies/GLOBAL/*')
  await call('DELETE', '/api/policies/MODEL_TIER/premium')
  await addCaller(zael, 'hostile', HOSTILE)
  return addCaller(zael, 'other', OTHER)
}

const raise = (): never => {
  throw new Error('there are no hostile bodies')
}
