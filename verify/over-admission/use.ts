import type { Cost, Meter } from '../../src/core/model/meter.ts'

/** One request that was admitted, as its caller saw it. Times are ns since the epoch, by the clock of the node. */
export interface Admission {
  /** Before it was asked. */
  readonly askedAt: bigint
  /** When each bucket was charged, the caller's own first: what the node read off its clock for that. */
  readonly chargedAt: readonly bigint[]
  /** When its caller had the answer. */
  readonly answeredAt: bigint
  readonly entityId: string
  readonly reserved: Cost
  /** What was used in the end; as reserved where nothing is settled. */
  readonly settled?: { readonly used: Cost; readonly calledAt: bigint; readonly doneAt: bigint }
}

/** An admission, as one of its buckets saw it. */
export interface Charged extends Omit<Admission, 'chargedAt'> {
  readonly at: bigint
}

/** An amount that was used, as far as a limit must have known of it. ns since the epoch. */
export interface Use {
  readonly amount: number
  /** At the earliest, */
  readonly at: bigint
  /** and at the latest. */
  readonly until: bigint
  /** Admissions that were asked from then on knew of it; undefined: it was admitted, so it knew of all others itself. */
  readonly knownFrom?: bigint
  readonly askedAt: bigint
}

/**
 * What admissions used of a meter, in order of time. What is used beyond the reservation cannot be denied any more; it is a
 * use of its own, which counts against whatever is admitted after it.
 */
export const usesOf = (admissions: readonly Charged[], meter: Meter): readonly Use[] =>
  admissions.flatMap((admission) => usesOfOne(admission, meter)).sort((a, b) => Number(a.at - b.at))

const usesOfOne = ({ askedAt, at, answeredAt, reserved, settled }: Charged, meter: Meter): readonly Use[] => {
  const asked = reserved[meter] ?? 0
  const used = settled?.used[meter] ?? asked
  const admitted = { amount: Math.min(asked, used), at, until: answeredAt, askedAt }
  if (settled === undefined || used <= asked) return [admitted]
  const { calledAt, doneAt } = settled
  const amount = used - asked
  return [admitted, { amount, at: calledAt, until: doneAt, askedAt: calledAt, knownFrom: doneAt }]
}
