import type { Decision, Reservation } from '../../src/core/decide/decision.ts'
import { createLimiter, type Limiter } from '../../src/core/decide/limiter.ts'
import { StoreUnavailable, ZaelError } from '../../src/core/model/errors.ts'
import { silentLogger } from '../../src/core/ports/platform.ts'
import { createMemoryBucketStore } from '../../src/store/memory/bucket-store.ts'
import type { LoggedAnswer, LoggedAsk, LoggedLife, LoggedReset, RunLog } from './run-log.ts'
import type { PlannedAsk, PlannedClaim, PlannedEnding, PlannedFault, Schedule } from './schedule/schedule.ts'
import { createConfig, type PlannedConfig } from './world/config.ts'
import { createMachine, type Machine } from './world/machine.ts'
import { createNetwork, type Network } from './world/network.ts'
import { createRandom, type Random } from './world/random.ts'
import { createScheduler, type Scheduler } from './world/scheduler.ts'
import { createLoggedTable, type LoggedTable } from './world/table-log.ts'

/** A node instance. */
interface Life {
  readonly by: number
  readonly machine: Machine
  readonly limiter: Limiter
  readonly log: LoggedLife
}

interface World {
  readonly schedule: Schedule
  readonly scheduler: Scheduler
  readonly random: Random
  readonly network: Network
  readonly table: LoggedTable
  readonly config: PlannedConfig
  /** The current instance of each node. */
  readonly nodes: Life[]
  readonly log: {
    readonly asks: LoggedAsk[]
    readonly lives: LoggedLife[]
    readonly resets: LoggedReset[]
    readonly errors: string[]
    lostBacks: number
  }
}

const SECOND_NS = 1_000_000_000
/** The same interval as in the server. */
const FLUSH_EVERY_NS = SECOND_NS
/** By then every operation in progress has ended, and every lease has expired. */
const QUIET_AFTER_NS = 12 * SECOND_NS
/** A waiting request retries after 5 to 25 ms. */
const PAUSE_NS = [5_000_000, 25_000_000] as const

/**
 * Runs the limiter in virtual time, one instance per node, on a table behind a simulated network, as the schedule
 * specifies. The same schedule always produces the same run.
 */
export const runSchedule = async (schedule: Schedule): Promise<RunLog> => {
  const scheduler = createScheduler()
  const random = createRandom(schedule.seed ^ 0x51ed270b)
  const faultsAt = () =>
    scheduler.now() > schedule.durationNs + QUIET_AFTER_NS / 2 ? calm(schedule) : schedule.network
  const world: World = {
    schedule,
    scheduler,
    random,
    network: createNetwork(scheduler, random, faultsAt),
    table: createLoggedTable(scheduler),
    config: createConfig(schedule),
    nodes: [],
    log: { asks: [], lives: [], resets: [], errors: [], lostBacks: 0 },
  }
  for (const [node] of schedule.aheadNs.entries()) begin(world, node)
  for (const ask of schedule.asks)
    scheduler.at(ask.atNs, () => onNode(world, ask.node, (life) => void asked(world, life, ask)))
  for (const change of schedule.changes)
    scheduler.at(change.atNs, () => {
      world.config.change(change)
      if (change.node !== null) onNode(world, change.node, ({ limiter }) => limiter.forget())
    })
  for (const fault of schedule.faults) scheduler.at(fault.atNs, () => strike(world, fault))
  for (const [node] of schedule.aheadNs.entries()) {
    for (let atNs = flushPhase(node); atNs < schedule.durationNs + QUIET_AFTER_NS; atNs += FLUSH_EVERY_NS)
      scheduler.at(atNs, () => onNode(world, node, (life) => void flush(world, life, false)))
    scheduler.at(schedule.durationNs + QUIET_AFTER_NS, () =>
      onNode(world, node, (life) => void flush(world, life, true)),
    )
  }
  await scheduler.run()
  return { schedule, ...world.log, writes: world.table.writes }
}

/** Nodes start at different times. */
const flushPhase = (node: number): number => FLUSH_EVERY_NS - node * 170_000_000

const calm = ({ network }: Schedule) => ({ ...network, slow: 0, lostBefore: 0, lostAfter: 0, throttled: 0 })

/** Acts on the instance that the node has by then. */
const onNode = ({ nodes }: World, node: number, act: (life: Life) => void): void => {
  const life = nodes[node]
  life?.machine.deliver(() => act(life))
}

const begin = (world: World, node: number, aheadNs = world.schedule.aheadNs[node] ?? 0): void => {
  const { scheduler, schedule, network, table, config, random } = world
  const by = world.log.lives.length
  const machine = createMachine(scheduler, { startNs: schedule.startNs, aheadNs, tickNs: schedule.tickNs })
  const limiter = createLimiter({
    buckets: network.from(machine, table.at(by)),
    localBuckets: createMemoryBucketStore(),
    // a configuration that never changes needs no network
    config: schedule.changes.length > 0 ? network.configFrom(machine, config) : config,
    clock: machine.clock,
    logger: silentLogger,
    metrics: {
      count(name) {
        if (name === 'refunds_lost') world.log.lostBacks++
      },
    },
    newCache: <V extends object>() => new Map<string, V>(),
    pause: () => new Promise((resolve) => machine.after(random.between(...PAUSE_NS), resolve)),
    settings: {
      leaseTtlMs: schedule.leaseTtlMs,
      ...(schedule.isLambda && { useDelayMs: 0 }),
    },
  })
  const log: LoggedLife = { node, hasCrashed: false, aheadNs: [aheadNs, aheadNs] }
  world.log.lives.push(log)
  world.nodes[node] = { by, machine, limiter, log }
}

const asked = async (world: World, life: Life, plan: PlannedAsk): Promise<void> => {
  const { scheduler, log, schedule } = world
  const { machine, limiter, by } = life
  const { entityId, tokens, node, ending } = plan
  const settles = ending !== undefined
  const logged: LoggedAsk = {
    askedNs: scheduler.now(),
    entityId,
    tokens,
    settles,
    node,
    by,
    frozenNs: machine.frozenNs(),
  }
  log.asks.push(logged)
  try {
    const cost = { requests: 1, tokens }
    const decision = await limiter.decide({ entityId, cost, settles })
    const frozenNs = machine.frozenNs() - logged.frozenNs
    logged.answer = { atNs: scheduler.now(), frozenNs, ...told(decision) }
    if (decision.allowed && ending !== undefined) endLater(world, life, logged, decision.reservation, ending)
    if (schedule.isLambda) await flush(world, life, false)
  } catch (error) {
    if (error instanceof StoreUnavailable && schedule.changes.length > 0) refuse(world, life, logged)
    else log.errors.push(`a request has thrown ${String(error)}`)
  }
}

const told = (decision: Decision): Omit<LoggedAnswer, 'atNs' | 'frozenNs'> => {
  const { allowed: isAllowed, degraded: isDegraded } = decision
  if (decision.allowed) return { isAllowed, isDegraded }
  const deniedBy = decision.violations.map(({ state }) => ({
    entityId: state.entityId,
    limit: state.limit.name,
  }))
  return { isAllowed, isDegraded, isUnavailable: decision.unavailable, deniedBy }
}

/** The limits are not cached and cannot be read: the request fails as unavailable. */
const refuse = ({ scheduler }: World, { machine }: Life, logged: LoggedAsk): void => {
  const frozenNs = machine.frozenNs() - logged.frozenNs
  logged.answer = { atNs: scheduler.now(), isAllowed: false, isDegraded: true, frozenNs }
}

const endLater = (
  world: World,
  { machine }: Life,
  logged: LoggedAsk,
  reservation: Reservation,
  ending: PlannedEnding,
): void => {
  if (ending === 'never') return
  if ('claims' in ending) {
    claimLater(world, logged, reservation, ending)
    return
  }
  const { afterNs, share } = ending
  const { scheduler, log } = world
  machine.after(afterNs, async () => {
    const tokens = Math.floor(logged.tokens * (share ?? 0))
    logged.ending = { calledNs: scheduler.now(), tokens, requests: share === null ? 0 : 1 }
    try {
      await (share === null ? reservation.release() : reservation.settle({ tokens }))
    } catch (error) {
      log.errors.push(`settling has thrown ${String(error)}`)
    }
  })
}

/** Settles as a stored reservation is settled: through a node that has no other state of it. */
const claimLater = (
  world: World,
  logged: LoggedAsk,
  { charges }: Reservation,
  { afterNs, claims, node, by }: PlannedClaim,
): void => {
  const { scheduler, log } = world
  const parts = charges.parts.map(({ lease: _, ...part }) => part)
  const settledBy = by === 'caller' ? { callerId: logged.entityId } : undefined
  scheduler.at(scheduler.now() + afterNs, () =>
    onNode(world, node, async ({ limiter }) => {
      const { tokens = logged.tokens, requests = 1 } = claims
      logged.ending = { calledNs: scheduler.now(), tokens, requests, by }
      try {
        await limiter.settleCharges({ ...charges, parts }, claims, settledBy)
      } catch (error) {
        log.errors.push(`settling has thrown ${String(error)}`)
      }
    }),
  )
}

const flush = async ({ log }: World, { limiter }: Life, all: boolean): Promise<void> => {
  try {
    await limiter.flush({ all })
  } catch (error) {
    log.errors.push(`the flush has thrown ${String(error)}`)
  }
}

const strike = (world: World, plan: PlannedFault): void => {
  const life = world.nodes[plan.node]
  if (!life) return
  const { machine, log } = life
  switch (plan.fault) {
    case 'crash':
      machine.crash()
      log.hasCrashed = true
      // the replacement is another machine, so its clock may differ
      begin(world, plan.node)
      break
    case 'freeze':
      machine.freeze(world.scheduler.now() + plan.ns, plan.stopsMonotonic)
      break
    case 'step':
      step(life, plan.ns)
      break
    case 'reset':
      machine.deliver(() => void reset(world, life, plan.entityId))
  }
}

/** The maximum clock offset. */
const MOST_AHEAD_NS = 5 * SECOND_NS

const step = ({ machine, log }: Life, ns: number): void => {
  const [least, most] = log.aheadNs
  const aheadNs = machine.aheadNs() + ns
  if (Math.abs(aheadNs) > MOST_AHEAD_NS) return
  machine.stepWall(ns)
  log.aheadNs = [Math.min(least, aheadNs), Math.max(most, aheadNs)]
}

const reset = async ({ scheduler, log }: World, { limiter }: Life, entityId: string): Promise<void> => {
  const logged: LoggedReset = { entityId, calledNs: scheduler.now() }
  log.resets.push(logged)
  try {
    await limiter.reset(entityId, {})
  } catch (error) {
    // another writer won every attempt, or the table is unavailable: the caller of the reset receives the error
    if (!(error instanceof ZaelError || error instanceof StoreUnavailable)) log.errors.push(String(error))
  }
  logged.doneNs = scheduler.now()
}
