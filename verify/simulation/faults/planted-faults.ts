/** A fault: a change to the sources. */
export interface PlantedFault extends SourceChange {
  readonly name: string
  /** A second change, where two places prevent the same mistake. */
  readonly also?: SourceChange
}

export interface SourceChange {
  readonly file: string
  /** The text to replace; it must occur exactly once in the file. */
  readonly from: string
  readonly to: string
}

/** Mistakes that are easy to make. */
export const PLANTED_FAULTS: readonly PlantedFault[] = [
  {
    name: 'refunds are skipped',
    file: 'src/core/charge/settle.ts',
    from: 'if (isExact(corrections)) return []',
    to: 'if (corrections.length >= 0) return []',
  },
  {
    name: 'settlements refund nothing',
    file: 'src/core/bucket/settle-plan.ts',
    from: 'if (snapshot === undefined || hasChanged(snapshot, receipt, now)) return undefined',
    to: 'if (difference >= -1e12 || snapshot === undefined || hasChanged(snapshot, receipt, now)) return undefined',
  },
  {
    name: 'refunds are applied twice',
    file: 'src/core/charge/settle-bucket.ts',
    from: 'if (outcome === undefined) return { state, outcome: { result } as const }',
    to: 'if (write && outcome?.applied) await store.write(receipt.bucket, write)\n    if (outcome === undefined) return { state, outcome: { result } as const }',
  },
  {
    name: 'a refund whose response is lost is repeated',
    file: 'src/core/charge/settle-bucket.ts',
    from: 'const outcome = write && (await store.write(receipt.bucket, write))',
    to: 'const outcome = write && (await store.write(receipt.bucket, write).catch(() => store.write(receipt.bucket, write)))',
  },
  {
    name: 'a lease takes back more than was not used',
    file: 'src/core/charge/lease.ts',
    from: 'each.left -= differenceOn(each.meter, paid, used)',
    to: 'each.left -= 2 * differenceOn(each.meter, paid, used)',
  },
  {
    name: 'leases never expire',
    file: 'src/core/charge/lease.ts',
    from: 'monotonicNs < lease.endsNs && nowNs < lease.endsAtNs',
    to: 'monotonicNs >= 0 && nowNs > 0 && lease.endsAtNs > 0',
  },
  {
    name: 'leases expire by the monotonic clock alone',
    file: 'src/core/charge/lease.ts',
    from: 'monotonicNs < lease.endsNs && nowNs < lease.endsAtNs',
    to: 'monotonicNs < lease.endsNs && nowNs > 0',
  },
  {
    name: 'leases outlive their calendar window',
    file: 'src/core/charge/leases.ts',
    from: 'const windowEnd = endsInNs === undefined ? [] : [chargedAt + endsInNs]',
    to: 'const windowEnd = endsInNs === undefined ? [] : [chargedAt + 2n * endsInNs + ttlNs]',
  },
  {
    name: 'a window from its first use on ends early',
    file: 'src/core/bucket/fixed-window.ts',
    from: 'now - lengthNs + 1n',
    to: 'now - (9n * lengthNs) / 10n',
  },
  {
    name: 'a window from its first use on begins anew when its limit changes',
    file: 'src/core/bucket/fixed-window.ts',
    from: 'keeps: () => true,',
    to: 'keeps: () => false,',
  },
  {
    name: 'a charge is refunded in the window after it',
    file: 'src/core/bucket/fixed-window.ts',
    from: "const charged = numberAt(basis, 'w', 0n)",
    to: "const charged = numberAt(snapshot, 'w', numberAt(basis, 'w', 0n))",
  },
  {
    name: 'leases are not charged',
    file: 'src/core/charge/write-charge.ts',
    from: 'sumOf([cost, extra])',
    to: 'sumOf([cost, {}])',
  },
  {
    name: 'only the first request of a shared write is charged',
    file: 'src/core/charge/batches.ts',
    from: 'cost: sumOf(requests.map(({ cost }) => cost)),',
    to: 'cost: sumOf([first.cost]),',
  },
  {
    name: 'the base is the mark after the oldest',
    file: 'src/core/bucket/sliding-window.ts',
    from: 'slotOf(key) >= slotNow - slots &&',
    to: 'slotOf(key) > slotNow - slots &&',
  },
  {
    name: 'marks ahead of now do not count',
    file: 'src/core/bucket/sliding-window.ts',
    from: 'slotOf(key) <= slotNow + ahead',
    to: 'slotOf(key) <= slotNow + 0 * ahead',
  },
  {
    name: 'a charge whose response is lost counts as not applied, and the request is admitted',
    file: 'src/core/decide/charge-buckets.ts',
    from: 'if (!isTimeLeft) return unavailable(bucket, outcome.reason)',
    to: 'return isTimeLeft ? untouched(deps, attempt, bucket) : unavailable(bucket, outcome.reason)',
  },
  {
    name: 'a request that arrives after the queue is empty waits forever',
    file: 'src/core/charge/batches.ts',
    from: 'queues.delete(key)',
    to: 'if (key === "") queues.delete(key)',
  },
  {
    name: 'a denial is cached for 30 s, longer than it is valid',
    file: 'src/core/charge/denial.ts',
    from: 'passesAt: untilTransitionOf(effective, now + waitNs)',
    to: 'passesAt: untilTransitionOf(effective, now + 30n * waitNs)',
  },
  {
    name: 'tokens refill 10 % too fast',
    file: 'src/core/bucket/token-bucket.ts',
    from: 'const price = (tokens: number): bigint => BigInt(tokens) * tokenNs',
    to: 'const price = (tokens: number): bigint => (BigInt(tokens) * tokenNs * 9n) / 10n',
  },
  {
    name: 'tokens that have refilled are refunded as well',
    file: 'src/core/bucket/token-bucket.ts',
    from: 'if (refund.full) return returned(priceNs)',
    to: 'if (refund.amount > 0) return returned(priceNs)',
  },
  {
    name: 'a changed limit starts full',
    file: 'src/core/bucket/token-bucket.ts',
    from: 'const used = roundedUp(previous.usedMillionths(fields, now) * tokenNs, MILLION)',
    to: 'const used = 0n * roundedUp(previous.usedMillionths(fields, now) * tokenNs, MILLION)',
  },
  {
    name: 'a changed window drops its latest use',
    file: 'src/core/bucket/sliding-window.ts',
    from: 'if (slot < slotAt(grid, now) - grid.slots) continue',
    to: 'if (slot >= slotAt(grid, now)) continue',
  },
  {
    name: 'a charge from before a change is refunded after it',
    file: 'src/core/bucket/settle-plan.ts',
    from: 'return { conditions: [...unchanged, ...conditions], actions, requiresSnapshot }',
    to: 'return { conditions: [...unchanged.slice(2), ...conditions], actions, requiresSnapshot }',
  },
  {
    name: 'a charge from before a transition is refunded after it',
    file: 'src/core/bucket/settle-plan.ts',
    from: '(refundableUntil !== undefined && now >= refundableUntil)',
    to: '(refundableUntil !== undefined && now < 0n)',
  },
  {
    name: 'leases outlive a transition',
    file: 'src/core/charge/leases.ts',
    from: 'scheduled?.until === undefined ? [] : [scheduled.until]',
    to: 'scheduled?.until === undefined ? [] : [scheduled.until + 1_000_000_000n]',
    also: {
      file: 'src/core/resolve/resolution.ts',
      from: 'until === undefined || now < until',
      to: 'until === undefined || now < until + 1_000_000_000n',
    },
  },
  {
    name: 'a node with an older limit carries it back',
    file: 'src/core/bucket/carry-over.ts',
    from: 'if (version !== effective.version) return version < effective.version',
    to: 'if (version !== effective.version) return true',
  },
  {
    name: 'the configuration is not read again before a denial',
    file: 'src/core/decide/decide.ts',
    from: 'const reading = resolve(DENIAL_MAX_AGE_NS)',
    to: 'const reading = Promise.resolve(attempt.resolution)',
  },
  {
    name: 'policies are not charged',
    file: 'src/core/resolve/policy-buckets.ts',
    from: 'filter(({ limits }) => limits.length > 0)',
    to: 'filter(({ limits }) => limits.length > 99)',
  },
  {
    name: 'users of two tenants share a bucket',
    file: 'src/core/resolve/resolve.ts',
    from: 'const tenant = subject.tenant ?? ancestors.at(-1)?.id ?? entity.id',
    to: 'const tenant = ancestors.at(-1)?.id ?? entity.id',
  },
  {
    name: 'all users of a tenant share a bucket',
    file: 'src/core/resolve/policy-buckets.ts',
    from: 'const { user = NO_NAME, session = NO_NAME } = subject',
    to: 'const { user = NO_NAME, session = NO_NAME } = { ...subject, user: undefined }',
  },
  {
    name: 'without the table all requests are admitted',
    file: 'src/core/decide/fallback.ts',
    from: 'effective.limit.onUnavailable ?? onUnavailable)',
    to: "effective.limit.onUnavailable ?? (onUnavailable === 'deny' ? 'allow' : onUnavailable))",
  },
  {
    name: 'without the table a process grants the whole limit',
    file: 'src/core/decide/fallback.ts',
    from: 'algorithm: algorithmOf(scaled(effective.limit.size, share))',
    to: 'algorithm: algorithmOf(scaled(effective.limit.size, share ** 0))',
  },
  {
    name: 'limits that only warn deny',
    file: 'src/core/model/limit.ts',
    from: "mode === undefined || mode === 'enforce'",
    to: "mode === undefined || mode !== 'shadow'",
  },
  {
    name: 'limits that only warn deny after repeated conflicts',
    file: 'src/core/decide/charge-buckets.ts',
    from: "result: isBound || result === 'outdated' ? result : 'untouched',",
    to: 'result: isBound ? result : result,',
  },
  {
    name: "a caller's claim is charged to others whatever the caller's own limits had available",
    file: 'src/core/charge/overage.ts',
    from: 'const amount = Math.min(wanted, ...available)',
    to: 'const amount = Math.max(wanted, 0 * available.length)',
  },
  {
    name: 'the available amount is read from a cached state',
    file: 'src/core/charge/settle.ts',
    from: 'return { limits, corrections, settled: await settleOrWait(deps, receipt, used, { corrections }) }',
    to: 'const item = deps.store.cached(bucket)\n  await settleOrWait(deps, receipt, used, { corrections })\n  return { limits, corrections: [], settled: item && { item, now: deps.clock.now() } }',
  },
  {
    name: 'meters that were not reserved are charged to others',
    file: 'src/core/charge/overage.ts',
    from: 'if (named === undefined) return []\n    const wanted = (used[meter] ?? named) - named',
    to: 'const wanted = (used[meter] ?? named ?? 0) - (named ?? 0)',
  },
  {
    name: "a caller's claim puts others into debt",
    file: 'src/core/bucket/settle-plan.ts',
    from: 'soft || plan.fitsOnly\n',
    to: 'soft\n',
  },
  {
    name: 'a paused limit admits requests that cost nothing',
    file: 'src/core/bucket/charge-plan.ts',
    from: 'amount <= boundOf(effective) && !isPaused(effective)',
    to: 'amount <= boundOf(effective) && (amount === 0 || !isPaused(effective))',
  },
  {
    name: 'slots never expire',
    file: 'src/core/bucket/concurrency.ts',
    from: 'entries(fields).filter(([, expiry]) => expiry <= now)',
    to: 'entries(fields).filter(([, expiry]) => expiry < 0n * now)',
  },
  {
    name: 'the second release of a slot frees that of another',
    file: 'src/core/bucket/settle-plan.ts',
    from: 'const write = isGone ? undefined : releaseSlot(basis)',
    to: "const slots = Object.keys(snapshot?.[limitName + '_slots'] ?? {})\n  const write = releaseSlot(isGone ? { slot: slots[0] ?? '' } : basis)",
  },
  {
    name: 'a request that is released keeps its slot',
    file: 'src/core/charge/settle.ts',
    from: 'const all = receipt.limits.map(',
    to: "const all = receipt.limits.filter(({ meter }) => meter !== 'in_flight').map(",
  },
  {
    name: 'expired slots are counted although the same write removes them',
    file: 'src/core/bucket/concurrency.ts',
    from: "sizeAtMost('slots', BigInt(room + removed.length))",
    to: "sizeAtMost('slots', BigInt(room + 0 * removed.length))",
  },
  {
    name: 'an expired slot that another node has removed makes room once more',
    file: 'src/core/bucket/concurrency.ts',
    from: "const isUnchanged = ([id, expiry]: Entry): Condition => equal(['slots', id], expiry)",
    to: "const isUnchanged = ([id, expiry]: Entry): Condition => ({ is: 'anyOf', conditions: [missing(['slots', id]), equal(['slots', id], expiry)] })",
  },
  {
    name: 'a renewal takes a slot again that is gone',
    file: 'src/core/bucket/concurrency.ts',
    from: "? { conditions: [below(['slots', slot], until)], actions: [set(['slots', slot], until)] }",
    to: "? { conditions: [], actions: [set(['slots', slot], until)] }",
  },
]
