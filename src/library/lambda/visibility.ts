import { bucketKey } from '../../core/bucket/bucket-store.ts'
import type { Decision, Violation } from '../../core/decide/decision.ts'
import { IN_FLIGHT } from '../../core/model/meter.ts'
import { roundedUp, SECOND_NS } from '../../core/model/time.ts'
import type { DelayedMessage } from '../../platform/sqs-visibility.ts'

export type { DelayedMessage } from '../../platform/sqs-visibility.ts'

/** Delays messages of a queue: its ARN as in their event. */
export type ChangeVisibility = (queueArn: string, messages: readonly DelayedMessage[]) => Promise<void>

/**
 * SQS hides a message for 12 hours at most after it was received, which was up to 5 minutes (the batching window) and the 15 minutes of a
 * function ago.
 */
const MAX_DELAY_S = 12 * 3600 - 20 * 60

/**
 * How long each denied message of a batch waits, in whole seconds; undefined where no wait would help, or none is known: then the queue's
 * own timeout applies.
 *
 * The messages that one limit denies would all return when it has room for one. Each waits longer than the previous one, by the time in
 * which the limit regains what a message costs, so that each is received about once.
 */
export const createDelays = (): ((decision: Decision | undefined) => number | undefined) => {
  const deniedBefore = new Map<string, bigint>()
  return (decision) => {
    if (decision === undefined || decision.allowed || decision.unavailable) return undefined
    const { retryAfterNs, violations } = decision
    const [longest] = violations.toSorted(byWait)
    if (retryAfterNs === null || longest === undefined || longest.meter === IN_FLIGHT) return undefined
    const key = `${bucketKey(longest.state.bucket)} ${longest.state.limit.name}`
    const before = deniedBefore.get(key) ?? 0n
    deniedBefore.set(key, before + regainNs(longest))
    return secondsOf(retryAfterNs + before)
  }
}

const byWait = (a: Violation, b: Violation): number => Number((b.retryAfterNs ?? 0n) - (a.retryAfterNs ?? 0n))

/** The time in which a limit regains the cost of one message, if it refills evenly. */
const regainNs = ({ state: { windowNs, capacity }, requested }: Violation): bigint =>
  (windowNs * BigInt(Math.max(1, requested))) / BigInt(Math.max(1, capacity))

const secondsOf = (ns: bigint): number => {
  const seconds = Number(roundedUp(ns, SECOND_NS))
  return Math.min(Math.max(1, seconds), MAX_DELAY_S)
}
