import { AsyncLocalStorage } from 'node:async_hooks'
import { threadId } from 'node:worker_threads'
import type { Environment, Settings } from '../src/settings/settings.ts'
import type { RunInvocation } from './handlers.ts'

/**
 * Whether an environment serves several invocations at a time (Lambda Managed Instances), in several threads that each load this
 * code. It then runs between invocations as well, unlike others, which are frozen. `ZaelApi` sets the first variable, Lambda the second.
 */
export const servesManyAtATime = ({ MANAGED_INSTANCES, AWS_LAMBDA_MAX_CONCURRENCY }: Environment): boolean =>
  MANAGED_INSTANCES === 'true' || Boolean(AWS_LAMBDA_MAX_CONCURRENCY)

/** A thread is a node: it has leases and caches of its own. */
export const settingsOfThread = (settings: Settings, thread: number = threadId): Settings => ({
  ...settings,
  nodeId: settings.nodeId === null ? null : `${settings.nodeId}/${thread}`,
})

/** Keeps the deadline of each invocation for what it calls, however many run at a time. */
export const createInvocations = () => {
  const deadlines = new AsyncLocalStorage<number>()
  const run: RunInvocation = (context, serve) =>
    deadlines.run(performance.now() + context.getRemainingTimeInMillis(), serve)
  return {
    run,
    /** The time that is left for the current invocation, in ms; outside of one: infinite. */
    remainingMs: (): number => (deadlines.getStore() ?? Number.POSITIVE_INFINITY) - performance.now(),
  }
}
