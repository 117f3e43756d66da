import type { Command } from 'commander'
import type * as v from 'valibot'
import { ownLimitsResponse } from '../../src/contract/checks.ts'
import { explainResponse } from '../../src/contract/limits.ts'
import { type LimitJson, sizeText } from '../limits/limit-text.ts'
import { ownStatesOf, printStates } from '../limits/state-text.ts'
import { tableText } from '../output/table.ts'
import type { Session } from '../session.ts'
import { examples, ownOr, type RequestOptions, withRequest } from './common.ts'

type Explained = v.InferOutput<typeof explainResponse>

/** `zael explain`. */
export const defineExplain = (explain: Command, session: Session): void => {
  withRequest(explain)
    .addHelpText(
      'after',
      examples(
        'zael explain key-ci',
        'zael explain key-ci --resource gpt-4o --user alice',
        'zael explain -r gpt-4o',
      ),
    )
    .action(async (entity: string | undefined, query: RequestOptions) => {
      const api = await session.api()
      if (entity === undefined) {
        const request = { path: ['v1', 'limits'], query: { ...query } }
        const own = await ownOr(entity, 'explain', () => api.request(request, ownLimitsResponse))
        return printStates(session, own, ownStatesOf(own))
      }
      const body = await api.request(
        { path: ['api', 'limits', entity, 'explain'], query: { ...query } },
        explainResponse,
      )
      session.print(body, () => explanationText(session, body))
    })
}

interface Row {
  readonly entity: string
  readonly resource: string
  readonly winner: LimitJson
  readonly overrides: readonly LimitJson[]
}

const rowsOf = ({ also_enforced: others, ...own }: Explained): readonly Row[] =>
  [own, ...others].flatMap(({ entity_id: entity, resource, limits }) =>
    limits.map(({ winner, overrides }) => ({ entity, resource, winner, overrides })),
  )

const COLUMNS = [
  { heading: 'ENTITY', cell: ({ entity }: Row) => entity },
  { heading: 'RESOURCE', cell: ({ resource }: Row) => resource },
  { heading: 'LIMIT', cell: ({ winner }: Row) => winner.name },
  { heading: 'METER', cell: ({ winner }: Row) => winner.meter },
  { heading: 'SIZE', cell: ({ winner }: Row) => sizeText(winner) },
  { heading: 'SOURCE', cell: ({ winner }: Row) => winner.source },
  {
    heading: 'OVERRIDES',
    cell: ({ overrides }: Row) => overrides.map((limit) => `${sizeText(limit)} (${limit.source})`).join('; '),
  },
]

/** The models that no budget counts, as they have no prices. */
const unpricedText = ({ limits, also_enforced: others }: Explained): string => {
  const all = [limits, ...others.map((bucket) => bucket.limits)].flat()
  const models = new Set(all.flatMap(({ unpriced_models: unpriced = [] }) => unpriced))
  return models.size === 0
    ? ''
    : `\nBudgets do not apply to models without prices: ${[...models].join(', ')}\n`
}

const explanationText = ({ style }: Session, body: Explained): string => {
  const rows = rowsOf(body)
  return `${rows.length === 0 ? 'no limits\n' : tableText(rows, COLUMNS, style)}${unpricedText(body)}`
}
