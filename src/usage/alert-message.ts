import type { AlertEvent, ReachedShare } from '../core/model/alert.ts'
import { reachedShareToJson } from '../core/model/json.ts'
import { policyPath } from '../core/model/policy.ts'
import { MS_NS } from '../core/model/time.ts'
import type { AlertMessage } from '../core/ports/alert-store.ts'

/** The message about an event: the same for every attempt, and for webhooks and topics. `docs/alerts.md` describes it. */
export const messageOf = (event: AlertEvent): AlertMessage => ({
  id: event.id,
  subject: `zael: ${ownerOf(event)} at ${percent(event.share)} of ${event.limitName}`.slice(0, MOST_SUBJECT),
  body: JSON.stringify({
    type: 'limit.share_reached',
    timestamp: new Date(Number(event.at / MS_NS)).toISOString(),
    text: textOf(event),
    data: dataOf(event),
  }),
})

/** SNS accepts no longer subject. */
const MOST_SUBJECT = 100

const dataOf = (event: AlertEvent) => ({
  ...reachedShareToJson(event),
  used_share: usedShare(event),
  ...(isMoney(event) && { used_usd: dollars(event.used), capacity_usd: dollars(event.capacity) }),
})

/** One line for people. */
const textOf = (event: AlertEvent): string => {
  const { used, capacity, meter, limitName, resource } = event
  const amounts = isMoney(event)
    ? `$${dollars(used)} of $${dollars(capacity)}`
    : `${used} of ${capacity}${meter === null ? '' : ` ${meter.replace('_', ' ')}`}`
  const isDenying = used < capacity * event.share
  return `${ownerOf(event)} has reached ${percent(event.share)} of ${limitName} on ${resource}: ${amounts}${isDenying ? ', and requests are denied' : ''}`
}

const ownerOf = ({ entityId, policy }: ReachedShare): string =>
  entityId ?? (policy === null ? '' : `policy ${policyPath(policy)}`)

const isMoney = ({ meter }: ReachedShare): boolean => meter === 'cost_usd_micros'

const MICROS = 1_000_000

const dollars = (micros: number): number => micros / MICROS

const percent = (share: number): string => `${Math.round(share * 1000) / 10} %`

/** To the thousandth, rounded down: 0.9999 is not yet the whole. */
const usedShare = ({ used, capacity }: ReachedShare): number => Math.floor((used / capacity) * 1000) / 1000
