import type { Decision, Reservation } from '../../src/core/decide/decision.ts'
import { createLimiter, type Limiter } from '../../src/core/decide/limiter.ts'
import { StoreUnavailable, ZaelError } from '../../src/core/model/errors.ts'
import { policyName } from '../../src/core/model/policy.ts'
import { silentLogger } from '../../src/core/ports/platform.ts'
import { sha256 } from '../../src/platform/runtime.ts'
import { createMemoryBucketStore } from '../../src/store/memory/bucket-store.ts'
import type {
  LoggedInstance,
  LoggedProbe,
  LoggedRequest,
  LoggedReset,
  LoggedResponse,
  RunLog,
} from './run-log.ts'
import type {
  PlannedClaim,
  PlannedEnding,
  PlannedFault,
  PlannedRequest,
  Schedule,
} from './schedule/schedule.ts'
import { probeSlots, renewUntil, slotsIn } from './slots.ts'
import { createConfig, type PlannedConfig } from './world/config.ts'
import { createMachine, type Machine } from './world/machine.ts'
import { createNetwork, type Network } from './world/network.ts'
import { createRandom, type Random } from './world/random.ts'
import { createScheduler, type Scheduler } from './world/scheduler.ts'
import { createLoggedTable, type LoggedTable } from './world/table-log.ts'

/** A node instance. */
interface Instance {
  readonly by: number
  readonly machine: Machine
  readonly limiter: Limiter
  readonly log: LoggedInstance
}

interface World {
  readonly schedule: Schedule
  readonly scheduler: Scheduler
  readonly random: Random
  readonly network: Network
  readonly table: LoggedTable
  readonly config: PlannedConfig
  /** The current instance of each node. */
  readonly nodes: Instance[]
  readonly log: {
    readonly requests: LoggedRequest[]
    readonly instances: LoggedInstance[]
    readonly resets: LoggedReset[]
    readonly errors: string[]
    readonly probes: LoggedProbe[]
    readonly slotsLeft: Record<string, number>
    lostRefunds: number
  }
}

const SECOND_NS = 1_000_000_000
/** The same interval as in the server. */
const FLUSH_EVERY_NS = SECOND_NS
/** By then every operation in progress has ended, and every lease has expired. */
const QUIET_AFTER_NS = 12 * SECOND_NS
/** By then every slot has expired by every clock: the longest lease, and the greatest difference of two clocks. */
const FREE_AFTER_NS = 30 * SECOND_NS
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
    log: { requests: [], instances: [], resets: [], errors: [], probes: [], slotsLeft: {}, lostRefunds: 0 },
  }
  for (const [node] of schedule.aheadNs.entries()) begin(world, node)
  for (const request of schedule.requests)
    scheduler.at(request.atNs, () =>
      onNode(world, request.node, (instance) => void handle(world, instance, request)),
    )
  for (const change of schedule.changes)
    scheduler.at(change.atNs, () => {
      world.config.change(change)
      if (change.node !== null) onNode(world, change.node, ({ limiter }) => limiter.forget())
    })
  for (const fault of schedule.faults) scheduler.at(fault.atNs, () => strike(world, fault))
  for (const [node] of schedule.aheadNs.entries()) {
    for (let atNs = flushPhase(node); atNs < schedule.durationNs + QUIET_AFTER_NS; atNs += FLUSH_EVERY_NS)
      scheduler.at(atNs, () => onNode(world, node, (instance) => void flush(world, instance, false)))
    scheduler.at(schedule.durationNs + QUIET_AFTER_NS, () =>
      onNode(world, node, (instance) => void flush(world, instance, true)),
    )
  }
  if (schedule.slots !== undefined)
    scheduler.at(schedule.durationNs + FREE_AFTER_NS, () =>
      onNode(world, 0, (instance) => void probe(world, instance)),
    )
  await scheduler.run()
  return { schedule, ...world.log, writes: world.table.writes }
}

const probe = async ({ schedule, table, log }: World, { limiter }: Instance): Promise<void> => {
  Object.assign(log.slotsLeft, await slotsIn(schedule, table))
  try {
    await probeSlots(schedule, limiter, (probed) => log.probes.push(probed))
  } catch (error) {
    log.errors.push(`a probe of slots has thrown ${String(error)}`)
  }
}

/** Nodes start at different times. */
const flushPhase = (node: number): number => FLUSH_EVERY_NS - node * 170_000_000

const calm = ({ network }: Schedule) => ({ ...network, slow: 0, lostBefore: 0, lostAfter: 0, throttled: 0 })

/** Acts on the instance that the node has by then. */
const onNode = ({ nodes }: World, node: number, act: (instance: Instance) => void): void => {
  const instance = nodes[node]
  instance?.machine.deliver(() => act(instance))
}

const begin = (world: World, node: number, aheadNs = world.schedule.aheadNs[node] ?? 0): void => {
  const { scheduler, schedule, network, table, config, random } = world
  const by = world.log.instances.length
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
        if (name === 'refunds_lost') world.log.lostRefunds++
      },
    },
    newCache: <V extends object>() => new Map<string, V>(),
    pause: () => new Promise((resolve) => machine.after(random.between(...PAUSE_NS), resolve)),
    slotPrefix: `${by}-`,
    hash: sha256,
    settings: {
      leaseTtlMs: schedule.leaseTtlMs,
      ...(schedule.isLambda ? { useDelayMs: 0 } : { sharesRefunds: schedule.seed % 2 === 1 }),
    },
  })
  const log: LoggedInstance = { node, hasCrashed: false, aheadNs: [aheadNs, aheadNs] }
  world.log.instances.push(log)
  world.nodes[node] = { by, machine, limiter, log }
}

const handle = async (world: World, instance: Instance, plan: PlannedRequest): Promise<void> => {
  const { scheduler, log, schedule } = world
  const { machine, limiter, by } = instance
  const { entityId, tokens, node, ending, user, session } = plan
  const names = { ...(user !== undefined && { user }), ...(session !== undefined && { session }) }
  const settles = ending !== undefined
  const logged: LoggedRequest = {
    requestedNs: scheduler.now(),
    entityId,
    tokens,
    ...names,
    settles,
    node,
    by,
    frozenNs: machine.frozenNs(),
  }
  log.requests.push(logged)
  try {
    const cost = { requests: 1, tokens, cost_usd_micros: tokens }
    const decision = await limiter.decide({ entityId, cost, settles, ...names })
    const frozenNs = machine.frozenNs() - logged.frozenNs
    logged.response = { atNs: scheduler.now(), frozenNs, ...outcomeOf(decision) }
    if (decision.allowed && ending !== undefined) {
      renewUntil(world, machine, logged, decision.reservation, plan.renews === true)
      endLater(world, instance, logged, decision.reservation, ending)
    }
    if (schedule.isLambda) await flush(world, instance, false)
  } catch (error) {
    if (error instanceof StoreUnavailable && schedule.changes.length > 0)
      failUnavailable(world, instance, logged)
    else log.errors.push(`a request has thrown ${String(error)}`)
  }
}

const outcomeOf = (decision: Decision): Omit<LoggedResponse, 'atNs' | 'frozenNs'> => {
  const { allowed: isAllowed, degraded: isDegraded } = decision
  if (decision.allowed) return { isAllowed, isDegraded }
  const deniedBy = decision.violations.map(({ state }) => ({
    // the buckets of all users have the name of one policy
    entityId: state.bucket.kind === 'policy' ? policyName(state.bucket) : state.entityId,
    limit: state.limit.name,
  }))
  return { isAllowed, isDegraded, isUnavailable: decision.unavailable, deniedBy }
}

/** The limits are not cached and cannot be read: the request fails as unavailable. */
const failUnavailable = ({ scheduler }: World, { machine }: Instance, logged: LoggedRequest): void => {
  const frozenNs = machine.frozenNs() - logged.frozenNs
  logged.response = { atNs: scheduler.now(), isAllowed: false, isDegraded: true, frozenNs }
}

const endLater = (
  world: World,
  { machine }: Instance,
  logged: LoggedRequest,
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
      await (share === null ? reservation.release() : reservation.settle({ tokens, cost_usd_micros: tokens }))
    } catch (error) {
      log.errors.push(`settling has thrown ${String(error)}`)
    }
  })
}

const NOTHING_USED = { tokens: 0, requests: 0 }

/** Settles as a stored reservation is settled: through a node that has no other state of it. */
const claimLater = (
  world: World,
  logged: LoggedRequest,
  { charges }: Reservation,
  { afterNs, claims, node, by }: PlannedClaim,
): void => {
  const { scheduler, log } = world
  const parts = charges.parts.map(({ lease: _, ...part }) => part)
  const settledBy = by === 'caller' ? { callerId: logged.entityId } : undefined
  scheduler.at(scheduler.now() + afterNs, () =>
    onNode(world, node, async ({ limiter }) => {
      const { tokens = logged.tokens, requests = 1 } = claims ?? NOTHING_USED
      logged.ending = { calledNs: scheduler.now(), tokens, requests, by }
      try {
        await limiter.settleCharges({ ...charges, parts }, claims, settledBy)
      } catch (error) {
        log.errors.push(`settling has thrown ${String(error)}`)
      }
    }),
  )
}

const flush = async ({ log }: World, { limiter }: Instance, all: boolean): Promise<void> => {
  try {
    await limiter.flush({ all })
  } catch (error) {
    log.errors.push(`the flush has thrown ${String(error)}`)
  }
}

const strike = (world: World, plan: PlannedFault): void => {
  const instance = world.nodes[plan.node]
  if (!instance) return
  const { machine, log } = instance
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
      step(instance, plan.ns)
      break
    case 'reset':
      machine.deliver(() => void reset(world, instance, plan.entityId))
  }
}

/** The maximum clock offset. */
const MOST_AHEAD_NS = 5 * SECOND_NS

const step = ({ machine, log }: Instance, ns: number): void => {
  const [least, most] = log.aheadNs
  const aheadNs = machine.aheadNs() + ns
  if (Math.abs(aheadNs) > MOST_AHEAD_NS) return
  machine.stepWall(ns)
  log.aheadNs = [Math.min(least, aheadNs), Math.max(most, aheadNs)]
}

const reset = async ({ scheduler, log }: World, { limiter }: Instance, entityId: string): Promise<void> => {
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
