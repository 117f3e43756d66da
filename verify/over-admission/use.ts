import type { Cost, Meter } from '../../src/core/model/meter.ts'

/** One admitted request, from the caller's point of view. Times are ns since the epoch, by the node's clock. */
export interface Admission {
  /** Before the request was sent. */
  readonly sentAt: bigint
  /** The time of the charge to each bucket, the caller's own first, by the node's clock. */
  readonly chargedAt: readonly bigint[]
  /** When the caller received the response. */
  readonly receivedAt: bigint
  readonly entityId: string
  readonly reserved: Cost
  /** The actual use. Undefined: as reserved, because it is not settled. */
  readonly settled?: { readonly used: Cost; readonly calledAt: bigint; readonly doneAt: bigint }
}

/** An admission and its charge to one bucket. */
export interface Charged extends Omit<Admission, 'chargedAt'> {
  readonly at: bigint
}

/** An amount that was used, and when a limit had to include it. Times are ns since the epoch. */
export interface Use {
  readonly amount: number
  /** The earliest time of the use. */
  readonly at: bigint
  /** The latest time of the use. */
  readonly until: bigint
  /**
   * Admissions sent from then on had to include this use. Undefined: the use was itself admitted, after all earlier ones
   * were included.
   */
  readonly countsFrom?: bigint
  readonly sentAt: bigint
}

/**
 * The uses of a meter by admitted requests, in order of time. The part beyond the reservation can no longer be denied,
 * so it is a separate use that counts against later admissions.
 */
export const usesOf = (admissions: readonly Charged[], meter: Meter): readonly Use[] =>
  admissions.flatMap((admission) => usesOfOne(admission, meter)).sort((a, b) => Number(a.at - b.at))

const usesOfOne = ({ sentAt, at, receivedAt, reserved, settled }: Charged, meter: Meter): readonly Use[] => {
  const reservedAmount = reserved[meter] ?? 0
  const used = settled?.used[meter] ?? reservedAmount
  const admitted = { amount: Math.min(reservedAmount, used), at, until: receivedAt, sentAt }
  if (settled === undefined || used <= reservedAmount) return [admitted]
  const { calledAt, doneAt } = settled
  const amount = used - reservedAmount
  return [admitted, { amount, at: calledAt, until: doneAt, sentAt: calledAt, countsFrom: doneAt }]
}
