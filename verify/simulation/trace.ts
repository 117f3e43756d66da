import type { LoggedRequest, RunLog } from './run-log.ts'
import { failureOf, failureText, simulate } from './simulate.ts'
import type { TableWrite } from './world/table-log.ts'

interface Line {
  readonly atNs: number
  readonly text: string
}

/** All events in the schedule of a seed, and its violations. */
export const traceOf = async (
  seed: number,
): Promise<{ readonly text: string; readonly isWrong: boolean }> => {
  const log = await simulate(seed)
  const { requests: _, ...schedule } = log.schedule
  const failure = failureOf(log)
  const text = [
    JSON.stringify(schedule, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value), 2),
    ...linesOf(log).map(({ atNs, text }) => `${(atNs / 1e6).toFixed(3).padStart(12)} ms  ${text}`),
    failure ? failureText(failure) : `seed ${seed}: no violations`,
  ].join('\n')
  return { text, isWrong: failure !== undefined }
}

const linesOf = ({ requests, writes, schedule, resets }: RunLog): readonly Line[] =>
  [
    ...requests.flatMap(linesOfRequest),
    ...writes.map((write) => ({ atNs: write.atNs, text: textOfWrite(write) })),
    ...schedule.faults.map(({ atNs, fault, node }) => ({ atNs, text: `node ${node}: ${fault}` })),
    ...resets.map(({ calledNs, entityId }) => ({
      atNs: calledNs,
      text: `reset of ${entityId} requested`,
    })),
  ].sort((a, b) => a.atNs - b.atNs)

const linesOfRequest = ({
  requestedNs,
  node,
  entityId,
  tokens,
  response,
  ending,
}: LoggedRequest): readonly Line[] => {
  const who = `node ${node}: ${entityId}, ${tokens} tokens`
  return [
    { atNs: requestedNs, text: `${who}, sent` },
    ...(response
      ? [
          {
            atNs: response.atNs,
            text: `${who}, ${response.isAllowed ? 'admitted' : 'denied'}${response.isDegraded ? ' without the table' : ''}`,
          },
        ]
      : []),
    ...(ending ? [{ atNs: ending.calledNs, text: `${who}, of which ${ending.tokens} were used` }] : []),
  ]
}

const textOfWrite = ({ by, entityId, changes, used, end, isReset }: TableWrite): string => {
  const what = isReset ? 'reset' : changes.map(({ limit, amount }) => `${limit} ${amount}`).join(', ')
  return `table: instance ${by} writes ${entityId}: ${what} ${JSON.stringify(used)}${end.isReceived ? '' : ', response lost'}`
}
