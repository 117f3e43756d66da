import type { Violation } from '../../core/decide/decision.ts'

const NS_PER_DAY = 86_400_000_000_000n

/** Whether a limit is a quota or a budget (a day or longer, or money): clients do better to give up than to wait. */
export const isQuota = ({ state, meter }: Violation): boolean =>
  meter === 'cost_usd_micros' || state.windowNs >= NS_PER_DAY
