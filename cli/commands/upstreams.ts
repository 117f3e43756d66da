import { type Command, Option } from 'commander'
import * as v from 'valibot'
import { upstreamResponse, upstreamsResponse } from '../../src/contract/upstreams.ts'
import { UPSTREAM_KINDS } from '../../src/core/model/upstream.ts'
import type { ApiClient } from '../api/client.ts'
import { CliError, EXIT_CODES, usageError } from '../failure.ts'
import { readJsonFile } from '../limits/limit-text.ts'
import { fieldsText } from '../output/table.ts'
import { timeText } from '../output/times.ts'
import type { Session } from '../session.ts'
import { examples, given, named, printList, printSent } from './common.ts'

type Upstream = v.InferOutput<typeof upstreamResponse>

interface SetOptions {
  readonly kind?: string
  readonly baseUrl?: string
  readonly region?: string
  readonly secret?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly file?: string
}

/** `zael upstreams`. */
export const defineUpstreams = (upstreams: Command, session: Session): void => {
  upstreams.addHelpText(
    'after',
    examples(
      'zael upstreams list',
      'zael upstreams set bedrock-eu --kind bedrock --region eu-central-1',
      'zael upstreams set openai --kind openai --base-url https://api.openai.com/v1 --secret env:UPSTREAM_SECRET_OPENAI',
      'zael upstreams delete openai --yes',
    ),
  )
  upstreams
    .command('list')
    .description('List upstreams, and what rests at them')
    .action(async () => {
      const api = await session.api()
      printList(session, await api.list({ path: PATH }, upstreamsResponse), COLUMNS, 'no upstreams')
    })
  upstreams
    .command('show')
    .description('Show an upstream')
    .argument('<upstream>')
    .action(async (name: string) => {
      const api = await session.api()
      show(session, await api.request({ path: [...PATH, name] }, upstreamResponse))
    })
  defineSet(upstreams, session)
  upstreams
    .command('delete')
    .description('Delete an upstream that no model uses')
    .argument('<upstream>')
    .action(async (name: string) => {
      const api = await session.api()
      await session.confirm(`Delete the upstream ${name} at ${api.url}?`)
      await api.send({ method: 'DELETE', path: [...PATH, name] })
      printSent(session, `deleted ${name}`)
    })
}

const defineSet = (upstreams: Command, session: Session): void => {
  upstreams
    .command('set')
    .description('Create an upstream, or change the given fields of one')
    .argument('<upstream>')
    .addOption(new Option('--kind <kind>', 'its API').choices(UPSTREAM_KINDS))
    .option('--base-url <url>', 'with /v1 for openai, without for anthropic and bedrock')
    .option('--region <region>', 'of bedrock')
    .option('--secret <reference>', 'env:UPSTREAM_SECRET_… or the ARN of a secret, never a secret')
    .option('--headers <name=value>', 'of every request to it; repeat it for several', named)
    .option('-f, --file <path>', 'the JSON of all fields, which replace those of the upstream; - reads stdin')
    .action(async (name: string, { file, baseUrl, ...rest }: SetOptions) => {
      const fields = given({ ...rest, base_url: baseUrl })
      if (file !== undefined && Object.keys(fields).length > 0)
        throw usageError('give fields or --file, not both')
      const json = file === undefined ? undefined : await readJsonFile(session.host, file)
      const api = await session.api()
      const body =
        json === undefined ? { ...(await currentBody(api, name, rest.kind)), ...fields } : bodyOf(json)
      show(session, await api.request({ method: 'PUT', path: [...PATH, name], body }, upstreamResponse))
    })
}

/** The fields of the upstream, which a PUT would otherwise reset; none if it is new or becomes one of another kind. */
const currentBody = async (api: ApiClient, name: string, kind: string | undefined): Promise<object> => {
  try {
    const upstream = await api.request({ path: [...PATH, name] }, upstreamResponse)
    return kind === undefined || kind === upstream.kind ? bodyOf(upstream) : {}
  } catch (error) {
    if (error instanceof CliError && error.exitCode === EXIT_CODES.notFound) return {}
    throw error
  }
}

/** The body of a PUT: what `show --json` prints contains fields that only the server sets. */
const bodyOf = (json: unknown): object => {
  if (!v.is(v.looseObject({}), json)) throw usageError('the upstream must be a JSON object')
  const { name, created_at, source, models, headers, ...body } = json
  // some kinds have no headers, not even none
  const hasHeaders = v.is(v.looseObject({}), headers) && Object.keys(headers).length > 0
  return hasHeaders ? { ...body, headers } : body
}

const PATH = ['api', 'upstreams'] as const

const restingText = ({ models }: Upstream): string =>
  models
    .filter(({ resting }) => resting)
    .map(({ model }) => model)
    .join(', ')

const COLUMNS = [
  { heading: 'UPSTREAM', cell: ({ name }: Upstream) => name },
  { heading: 'KIND', cell: ({ kind }: Upstream) => kind },
  { heading: 'URL OR REGION', cell: ({ base_url, region }: Upstream) => base_url ?? region },
  { heading: 'SECRET', cell: ({ secret }: Upstream) => secret },
  { heading: 'RESTING', cell: restingText },
]

const show = ({ print, style }: Session, upstream: Upstream): void =>
  print(upstream, () => {
    const { name, kind, base_url, region, secret, headers, source, created_at } = upstream
    const timeouts = [
      `${upstream.connect_timeout_seconds} s to connect`,
      `${upstream.first_byte_timeout_seconds} s to the first byte`,
      `${upstream.idle_timeout_seconds} s idle`,
      `${upstream.total_timeout_seconds} s in all`,
    ]
    return fieldsText(
      {
        upstream: name,
        kind,
        url: base_url,
        region,
        secret,
        headers: Object.entries(headers)
          .map(([header, value]) => `${header}: ${value}`)
          .join(', '),
        timeouts: timeouts.join(', '),
        adaptive: upstream.adaptive !== null,
        resting: restingText(upstream),
        source,
        created: timeText(created_at),
      },
      style,
    )
  })
