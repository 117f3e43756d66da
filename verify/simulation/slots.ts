import { type BucketId, entityBucket, policyBucket } from '../../src/core/bucket/bucket-store.ts'
import type { Reservation } from '../../src/core/decide/decision.ts'
import type { Limiter } from '../../src/core/decide/limiter.ts'
import { DEFAULT_RESOURCE } from '../../src/core/model/limit-set.ts'
import { touches } from './invariants/uses.ts'
import type { LoggedProbe, LoggedRequest } from './run-log.ts'
import { callersIn, type Schedule } from './schedule/schedule.ts'
import { SLOTS_NAME } from './world/config.ts'
import type { Machine } from './world/machine.ts'
import type { Scheduler } from './world/scheduler.ts'
import type { LoggedTable } from './world/table-log.ts'

/** Renews the slots of a request every third of their lease until it ends, or the schedule does. */
export const renewUntil = (
  { scheduler, schedule }: { readonly scheduler: Scheduler; readonly schedule: Schedule },
  machine: Machine,
  logged: LoggedRequest,
  { held }: Reservation,
  renews: boolean,
): void => {
  if (held === undefined) return
  const everyNs = Math.floor(Number(held.leaseNs) / 3)
  logged.heldSinceNs = logged.requestedNs
  const renew = async (): Promise<void> => {
    if (logged.ending !== undefined || scheduler.now() > schedule.durationNs) return
    const calledNs = scheduler.now()
    machine.after(everyNs, () => void renew())
    if (await held.renew()) logged.heldSinceNs = calledNs
  }
  if (renews) machine.after(everyNs, () => void renew())
}

/** The entries in the maps of slots, by entity or policy. */
export const slotsIn = async (
  { slots = [], policies }: Schedule,
  table: LoggedTable,
): Promise<Record<string, number>> => {
  const left: Record<string, number> = {}
  for (const { of } of slots) {
    const policy = policies.find(({ id }) => id === of)
    const bucket: BucketId = policy ? policyBucket(policy.key) : entityBucket(of, DEFAULT_RESOURCE)
    const map = (await table.at(0).read(bucket))?.[`${SLOTS_NAME}_slots`]
    left[of] = typeof map === 'object' ? Object.keys(map).length : 0
  }
  return left
}

/** Takes as many slots as each caller may hold, one caller after another: all must be free. */
export const probeSlots = async (
  schedule: Schedule,
  limiter: Limiter,
  probed: (probe: LoggedProbe) => void,
): Promise<void> => {
  for (const entityId of callersIn(schedule)) {
    const slots = leastOf(schedule, entityId)
    if (slots === undefined) continue
    const held = await takeAll(limiter, entityId, slots)
    probed({ entityId, slots, admitted: held.length })
    for (const reservation of held) await reservation.release()
  }
}

const takeAll = async (
  limiter: Limiter,
  entityId: string,
  slots: number,
): Promise<readonly Reservation[]> => {
  const held: Reservation[] = []
  while (held.length < slots) {
    const decision = await limiter.decide({ entityId, cost: {}, settles: true })
    if (!decision.allowed || decision.degraded) break
    held.push(decision.reservation)
  }
  return held
}

/** The least number of slots of the buckets that a caller charges; undefined if none has any. */
const leastOf = (schedule: Schedule, entityId: string): number | undefined => {
  const limits = (schedule.slots ?? []).filter(({ of }) =>
    touches({ schedule }, { entityId: of }, { entityId }),
  )
  return limits.length === 0 ? undefined : Math.min(...limits.map(({ limit }) => limit))
}
