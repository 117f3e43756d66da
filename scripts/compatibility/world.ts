import { ADMIN_TOKEN, startEmbeddedServer } from '../embedded-server.ts'
import { fieldOf } from '../reports.ts'
import { ScriptError } from '../run-command.ts'
import type { ClientProgram } from './clients.ts'
import { type Observer, startObserver } from './observer.ts'
import { type Provider, startProvider } from './provider.ts'

const UPSTREAM_SECRET = 'secret-of-the-upstream'

/** `413` is checked with a prompt of 400 KB. */
const SETTINGS = {
  DEFAULT_RPM_LIMIT: 'none',
  DEFAULT_TPM_LIMIT: 'none',
  MAX_MODEL_BODY_BYTES: '300000',
  UPSTREAM_SECRET_PROVIDER: UPSTREAM_SECRET,
}

/** A zael on this machine in front of the simulated model and of a provider. */
export interface World {
  readonly url: string
  readonly observer: Observer
  readonly provider: Provider
  close(): Promise<void>
}

export const startWorld = async (): Promise<World> => {
  const server = await startEmbeddedServer(SETTINGS)
  const { url } = server
  const [observer, provider] = await Promise.all([startObserver(url), startProvider(UPSTREAM_SECRET)])
  const close = async () => {
    await Promise.all([server.stop(), observer.close(), provider.close()])
  }
  try {
    await configure(url, provider.origin)
  } catch (error) {
    await close()
    throw error
  }
  return { url, observer, provider, close }
}

/** The models of each API: one of the provider, and one that is simulated. */
export const MODELS = {
  openai: { upstream: 'gpt-4o', simulated: 'gpt-4o-simulated' },
  anthropic: { upstream: 'claude-sonnet-4-5', simulated: 'claude-sonnet-4-5-simulated' },
} as const

export const EMBEDDING_MODELS = {
  upstream: 'text-embedding-3-small',
  simulated: 'text-embedding-3-small-simulated',
} as const

const configure = async (url: string, provider: string): Promise<void> => {
  const secret = 'env:UPSTREAM_SECRET_PROVIDER'
  const upstreams = {
    openai: { kind: 'openai', base_url: `${provider}/v1`, secret },
    anthropic: { kind: 'anthropic', base_url: provider, secret },
    simulated: { kind: 'simulated' },
  }
  for (const [name, body] of Object.entries(upstreams)) {
    await write('PUT', `${url}/api/upstreams/${name}`, body)
  }
  const models = [
    ...Object.entries(MODELS).map(([upstream, ids]) => ({ upstream, ids })),
    { upstream: 'openai', ids: EMBEDDING_MODELS },
  ]
  for (const { upstream, ids } of models) {
    await write('PUT', `${url}/api/models/${ids.upstream}`, { upstreams: [{ upstream }] })
    await write('PUT', `${url}/api/models/${ids.simulated}`, { upstreams: [{ upstream: 'simulated' }] })
  }
}

const write = async (method: 'POST' | 'PUT', url: string, body: object): Promise<void> => {
  const headers = { authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': 'application/json' }
  const response = await fetch(url, { method, headers, body: JSON.stringify(body) })
  if (!response.ok)
    throw new ScriptError(`${method} ${url} returned ${response.status}: ${await response.text()}`)
}

/** The keys of a client's checks, each of an entity of its own. */
export interface ClientKeys {
  /** Its limits are never reached. */
  readonly main: string
  /** May not use the provider's models. */
  readonly restricted: string
  /** One request each 3 seconds, which is longer than the first pauses of clients that do not obey the wait. */
  readonly shortWait: string
  /** One request an hour. */
  readonly longWait: string
  /** Its tokens are counted. */
  readonly abort: string
}

const LIMITS = {
  main: [{ name: 'rpm', limit: 1_000_000, per: 'minute' }],
  restricted: [],
  shortWait: [{ name: 'rpm', capacity: 1, refill_rate: 1 / 3 }],
  longWait: [{ name: 'rpm', capacity: 1, refill_rate: 1 / 3600 }],
  abort: [{ name: 'tpm', capacity: 100_000, refill_rate: 0.001, refund: 'full', lease_ttl_seconds: 0 }],
} as const satisfies Record<keyof ClientKeys, readonly object[]>

export const makeKeys = async (url: string, name: string): Promise<ClientKeys> => {
  const make = async (use: keyof ClientKeys) => {
    const id = `${name}-${use}`
    const models = use === 'restricted' ? { models: ['gpt-4'] } : {}
    await write('POST', `${url}/api/entities`, { entity_id: id, name: id, ...models })
    const limits = LIMITS[use]
    if (limits.length > 0) await write('PUT', `${url}/api/limits/${id}`, { limits })
    const secret = `sk-${id}-${crypto.randomUUID()}`
    await write('POST', `${url}/api/entities/${id}/keys`, { secret })
    return secret
  }
  const [main, restricted, shortWait, longWait, abort] = await Promise.all([
    make('main'),
    make('restricted'),
    make('shortWait'),
    make('longWait'),
    make('abort'),
  ])
  return { main, restricted, shortWait, longWait, abort }
}

/** The tokens that a key has used of a model. */
export const usedTokens = async (url: string, key: string, model: string): Promise<number> => {
  const response = await fetch(`${url}/v1/limits/check`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ resource: model, cost: { requests: 0 }, dry_run: true }),
  })
  if (!response.ok) throw new ScriptError(`the tokens of ${model} cannot be read: ${await response.text()}`)
  const limits = fieldOf(await response.json(), 'limits')
  const tpm = Array.isArray(limits) && limits.find((limit) => fieldOf(limit, 'limit_name') === 'tpm')
  const used = fieldOf(tpm, 'used')
  if (typeof used !== 'number') throw new ScriptError(`${model} has no limit of tokens`)
  return used
}

/** What the program of a client reads from `COMPATIBILITY`. */
export const environmentOf = ({ url, observer }: World, { api }: ClientProgram, keys: ClientKeys) => ({
  url,
  observedUrl: observer.url,
  keys,
  models: MODELS[api],
  embeddingModels: EMBEDDING_MODELS,
})
