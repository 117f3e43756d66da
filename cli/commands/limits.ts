import type { Command } from 'commander'
import type * as v from 'valibot'
import { availabilityResponse } from '../../src/contract/dashboard.ts'
import { limitsResponse } from '../../src/contract/limits.ts'
import { LIMIT_COLUMNS, LIMIT_HELP, readLimits } from '../limits/limit-text.ts'
import { printBuckets } from '../limits/state-text.ts'
import { tableText } from '../output/table.ts'
import type { Session } from '../session.ts'
import { examples, given, printSent, wholeNumber } from './common.ts'

interface ResourceOption {
  readonly resource?: string
}

interface BucketOptions extends ResourceOption {
  readonly limit?: string
  readonly amount?: number
}

/** `zael limits`. */
export const defineLimits = (limits: Command, session: Session): void => {
  limits.addHelpText(
    'after',
    examples(
      'zael limits show key-ci --resource gpt-4o',
      'zael limits set key-ci rpm=60/minute tpm=100000/minute',
      'zael limits set key-ci --resource gpt-4o --file limits.json',
      'zael limits delete key-ci --resource gpt-4o --yes',
      'zael limits top-up key-ci --limit tpm --amount 50000',
    ),
  )
  limits
    .command('show')
    .alias('list')
    .description('Show the limits that apply to an entity, and where each was set')
    .argument('<entity>')
    .option('-r, --resource <model>', 'default: those of any model')
    .action(async (entity: string, { resource }: ResourceOption) => {
      const api = await session.api()
      const body = await api.request({ path: pathOf(entity), query: { resource } }, limitsResponse)
      show(session, body)
    })
  defineSet(limits, session)
  defineDelete(limits, session)
  defineBuckets(limits, session)
}

const show = (session: Session, { limits, ...body }: v.InferOutput<typeof limitsResponse>): void =>
  session.print({ ...body, limits }, () =>
    limits.length === 0 ? 'no limits\n' : tableText(limits, LIMIT_COLUMNS, session.style),
  )

const defineSet = (limits: Command, session: Session): void => {
  limits
    .command('set')
    .description('Replace the own limits of an entity')
    .argument('<entity>')
    .argument('[limits...]', 'such as rpm=10/minute')
    .option('-r, --resource <model>', 'default: for any model')
    .option('-f, --file <path>', 'a JSON list of limits; - reads stdin')
    .addHelpText('after', LIMIT_HELP)
    .action(async (entity: string, texts: string[], options: ResourceOption & { readonly file?: string }) => {
      const { resource, file } = options
      const body = given({ resource, limits: await readLimits(session.host, texts, file) })
      const api = await session.api()
      show(session, await api.request({ method: 'PUT', path: pathOf(entity), body }, limitsResponse))
    })
}

const defineDelete = (limits: Command, session: Session): void => {
  limits
    .command('delete')
    .description('Delete the own limits of an entity, so that inherited ones apply')
    .argument('<entity>')
    .option('-r, --resource <model>', 'default: those of any model')
    .action(async (entity: string, { resource }: ResourceOption) => {
      const api = await session.api()
      await session.confirm(`Delete the limits of ${entity} on ${resource ?? 'any model'} at ${api.url}?`)
      await api.send({ method: 'DELETE', path: pathOf(entity), query: { resource } })
      printSent(session, `deleted the limits of ${entity}${resource === undefined ? '' : ` on ${resource}`}`)
    })
}

const defineBuckets = (limits: Command, session: Session): void => {
  const bucket = (name: 'reset' | 'top-up', description: string): Command =>
    limits
      .command(name)
      .description(description)
      .argument('<entity>')
      .option('-r, --resource <model>', 'default: every bucket of the entity')
      .option('-l, --limit <name>', 'default: every limit')
      .action(async (entity: string, { resource, limit, amount }: BucketOptions) => {
        const body = given({ resource, limit_name: limit, amount })
        const api = await session.api()
        const request = { method: 'POST', path: [...pathOf(entity), name], body } as const
        printBuckets(session, await api.request(request, availabilityResponse))
      })
  bucket('reset', 'Refill the buckets of an entity')
  bucket('top-up', 'Add to what is available, once').option(
    '-a, --amount <amount>',
    'default: until full',
    wholeNumber(1),
  )
}

const pathOf = (entity: string): readonly string[] => ['api', 'limits', entity]
