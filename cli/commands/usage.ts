import { type Command, Option } from 'commander'
import type * as v from 'valibot'
import { usageResponse } from '../../src/contract/history.ts'
import { tableText } from '../output/table.ts'
import { timeText } from '../output/times.ts'
import type { Session } from '../session.ts'
import { examples, moment, ownOr } from './common.ts'

type Point = v.InferOutput<typeof usageResponse>['points'][number]

interface UsageOptions {
  readonly resource?: string
  readonly by?: string
  readonly from?: number
  readonly to?: number
}

/** `zael usage`. */
export const defineUsage = (usage: Command, session: Session): void => {
  usage
    .argument('[entity]', 'default: the entity of the key')
    .option('-r, --resource <model>', 'default: every model')
    .addOption(new Option('--by <period>').choices(['hour', 'day']))
    .option('--from <time>', 'as 2027-01-31 or 2027-01-31T08:00:00Z', moment)
    .option('--to <time>', 'default: now', moment)
    .addHelpText(
      'after',
      examples('zael usage key-ci', 'zael usage key-ci --by day --from 2027-01-01 --json', 'zael usage'),
    )
    .action(async (entity: string | undefined, { by, ...rest }: UsageOptions) => {
      const api = await session.api()
      const path = entity === undefined ? ['v1', 'usage'] : ['api', 'usage', entity]
      const query = { ...rest, granularity: by }
      const body = await ownOr(entity, 'usage', () => api.request({ path, query }, usageResponse))
      session.print(body, () =>
        body.points.length === 0 ? 'no usage\n' : tableText(body.points, COLUMNS, session.style),
      )
    })
}

const MICROS_PER_DOLLAR = 1_000_000

const COLUMNS = [
  { heading: 'FROM', cell: ({ start }: Point) => timeText(start) },
  { heading: 'RESOURCE', cell: ({ resource }: Point) => resource },
  { heading: 'REQUESTS', cell: ({ requests }: Point) => requests },
  { heading: 'TOKENS', cell: ({ tokens }: Point) => tokens },
  { heading: 'INPUT', cell: ({ input_tokens: tokens }: Point) => tokens },
  { heading: 'OUTPUT', cell: ({ output_tokens: tokens }: Point) => tokens },
  { heading: 'DOLLARS', cell: ({ cost_usd_micros: micros }: Point) => micros / MICROS_PER_DOLLAR },
  { heading: 'DENIED', cell: ({ denied }: Point) => denied },
]
