import type { Command } from 'commander'
import * as v from 'valibot'
import { modelResponse, modelsResponse } from '../../src/contract/models.ts'
import type { ApiClient } from '../api/client.ts'
import { CliError, EXIT_CODES, usageError } from '../failure.ts'
import { readJsonFile } from '../limits/limit-text.ts'
import { fieldsText } from '../output/table.ts'
import { timeText } from '../output/times.ts'
import type { Session } from '../session.ts'
import { dollars, examples, given, listed, printList, printSent, wholeNumber } from './common.ts'

type Model = v.InferOutput<typeof modelResponse>

interface SetOptions {
  readonly tier?: string | false
  readonly inputPrice?: number
  readonly outputPrice?: number
  readonly upstreams?: readonly string[]
  readonly maxOutputTokens?: number
  readonly file?: string
}

/** `zael models`. */
export const defineModels = (models: Command, session: Session): void => {
  models.addHelpText(
    'after',
    examples(
      'zael models list',
      'zael models set gpt-4o --tier premium --input-price 2.50 --output-price 10',
      'zael models set claude --upstreams bedrock-eu=eu.anthropic.claude-sonnet-4-5,anthropic',
      'zael models show gpt-4o --json > gpt-4o.json',
      'zael models delete gpt-4o --yes',
    ),
  )
  models
    .command('list')
    .description('List models')
    .action(async () => {
      const api = await session.api()
      printList(session, await api.list({ path: PATH }, modelsResponse), COLUMNS, 'no models')
    })
  models
    .command('show')
    .description('Show a model')
    .argument('<model>')
    .action(async (id: string) => {
      const api = await session.api()
      show(session, await api.request({ path: pathOf(id) }, modelResponse))
    })
  defineSet(models, session)
  models
    .command('delete')
    .description('Delete a model')
    .argument('<model>')
    .action(async (id: string) => {
      const api = await session.api()
      await session.confirm(`Delete the model ${id} at ${api.url}?`)
      await api.send({ method: 'DELETE', path: pathOf(id) })
      printSent(session, `deleted ${id}`)
    })
}

const defineSet = (models: Command, session: Session): void => {
  models
    .command('set')
    .description('Create a model, or change the given fields of one')
    .argument('<model>')
    .option('--tier <tier>', 'selects policies of scope MODEL_TIER')
    .option('--no-tier')
    .option('--input-price <dollars>', 'per million tokens', dollars)
    .option('--output-price <dollars>', 'per million tokens', dollars)
    .option('--upstreams <names>', 'in order, as <upstream> or <upstream>=<its name there>', listed)
    .option('--max-output-tokens <count>', 'the bound of responses to requests without one', wholeNumber(1))
    .option('-f, --file <path>', 'the JSON of all fields, which replace those of the model; - reads stdin')
    .action(async (id: string, { file, ...options }: SetOptions) => {
      if (file !== undefined && Object.keys(given(options)).length > 0)
        throw usageError('give fields or --file, not both')
      const json = file === undefined ? undefined : await readJsonFile(session.host, file)
      const api = await session.api()
      const body = json === undefined ? changedBody(await modelOf(api, id), options) : bodyOf(json)
      show(session, await api.request({ method: 'PUT', path: pathOf(id), body }, modelResponse))
    })
}

/** The model, or undefined if there is none. */
const modelOf = async (api: ApiClient, id: string): Promise<Model | undefined> => {
  try {
    return await api.request({ path: pathOf(id) }, modelResponse)
  } catch (error) {
    if (error instanceof CliError && error.exitCode === EXIT_CODES.notFound) return undefined
    throw error
  }
}

/** A PUT replaces all fields, so those that are not given are sent as they are. */
const changedBody = (model: Model | undefined, options: Omit<SetOptions, 'file'>): object => {
  const { tier, inputPrice, outputPrice, upstreams, maxOutputTokens } = options
  const prices = given({ input_per_million: inputPrice, output_per_million: outputPrice })
  const hasPrices = Object.keys(prices).length > 0
  return {
    ...(model === undefined ? {} : bodyOf(model)),
    ...given({
      tier: tier === false ? null : tier,
      prices: hasPrices ? { ...model?.prices, ...prices } : undefined,
      upstreams: upstreams?.map(upstreamOf),
      max_output_tokens: maxOutputTokens,
    }),
  }
}

const upstreamOf = (text: string): object => {
  const [upstream, ...model] = text.split('=')
  return model.length === 0 ? { upstream } : { upstream, model: model.join('=') }
}

/** The body of a PUT: what `show --json` prints contains fields that only the server sets. */
const bodyOf = (json: unknown): object => {
  if (!v.is(v.looseObject({}), json)) throw usageError('the model must be a JSON object')
  const { model_id, created_at, ...body } = json
  return body
}

const PATH = ['api', 'models'] as const

/** Ids may contain slashes. */
const pathOf = (id: string): readonly string[] => [...PATH, ...id.split('/')]

const upstreamsText = ({ upstreams }: Model): string =>
  upstreams.map(({ upstream, model }) => (model === null ? upstream : `${upstream}=${model}`)).join(', ')

const COLUMNS = [
  { heading: 'MODEL', cell: ({ model_id }: Model) => model_id },
  { heading: 'TIER', cell: ({ tier }: Model) => tier },
  { heading: 'INPUT $/M', cell: ({ prices }: Model) => prices?.input_per_million, isNumber: true },
  { heading: 'OUTPUT $/M', cell: ({ prices }: Model) => prices?.output_per_million, isNumber: true },
  { heading: 'MAX OUTPUT', cell: ({ max_output_tokens: most }: Model) => most },
  { heading: 'UPSTREAMS', cell: upstreamsText },
]

const show = ({ print, style }: Session, model: Model): void =>
  print(model, () =>
    fieldsText(
      {
        model: model.model_id,
        tier: model.tier,
        prices: model.prices && JSON.stringify(model.prices),
        'token weights': model.token_weights && JSON.stringify(model.token_weights),
        upstreams: upstreamsText(model) || 'default',
        'max output': model.max_output_tokens,
        created: timeText(model.created_at),
      },
      style,
    ),
  )
