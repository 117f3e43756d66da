import { useEffect, useState } from 'preact/hooks'
import type { Connection } from '../../live/follow.ts'
import { spanText } from '../../parts/time.ts'

const NAMES = { connecting: 'Connecting', live: 'Live', polling: 'Polling', offline: 'Offline' } as const
const KINDS = { connecting: '', live: 'good', polling: 'warn', offline: 'bad' } as const
const HINTS = {
  connecting: 'Waiting for the first numbers',
  live: 'Changes are shown within a second',
  polling: 'This server cannot stream: the numbers are updated every two seconds',
  offline: 'The numbers are from the last response.',
} as const

/** Whether what is shown is kept up to date. A change of that is read out, the seconds until the next try are not. */
export const ConnectionBadge = ({ connection }: { readonly connection: Connection }) => {
  const { state } = connection
  const hint = state === 'offline' ? `${connection.error} ${HINTS.offline}` : HINTS[state]
  return (
    <span class="connection">
      <span class={`tag connection-state ${KINDS[state]}`} title={hint} aria-hidden="true">
        <span class="connection-dot" />
        {NAMES[state]}
        {state === 'offline' && <NextTry at={connection.nextTryAt} />}
      </span>
      <span class="unseen" role="status">
        {state === 'offline' ? 'Offline. Reconnecting automatically.' : NAMES[state]}
      </span>
    </span>
  )
}

const NextTry = ({ at }: { readonly at: number }) => {
  const [now, setNow] = useState(Date.now)
  useEffect(() => {
    setNow(Date.now())
    const timer = setInterval(() => setNow(Date.now()), 1000)
    return () => clearInterval(timer)
  }, [at])
  const seconds = Math.ceil((at - now) / 1000)
  return (
    <span class="number">
      · <span class="wide-only">next try </span>
      {seconds > 0 ? `in ${spanText(seconds)}` : 'now'}
    </span>
  )
}
