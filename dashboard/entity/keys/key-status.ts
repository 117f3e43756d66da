import type { ApiKey } from '../../api/answers.ts'
import { momentText } from '../../parts/time.ts'

/** Whether a key opens anything at `now`, seconds since the epoch. */
export const statusOf = (
  { status, expires_at: expiresAt }: Pick<ApiKey, 'status' | 'expires_at'>,
  now: number,
): 'active' | 'expired' | 'revoked' =>
  status === 'active' && expiresAt !== null && expiresAt <= now ? 'expired' : status

export const expiryText = ({ expires_at: expiresAt }: Pick<ApiKey, 'expires_at'>): string =>
  expiresAt === null ? 'never expires' : `expires ${momentText(expiresAt)}`

const DAY_SECONDS = 86_400

/** The moment some days from `now`, both in seconds since the epoch; null where no number of days is typed. */
export const expiryIn = (days: string, now: number): number | null =>
  days.trim() === '' ? null : Math.round(now + Number(days) * DAY_SECONDS)
