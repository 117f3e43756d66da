import type { PageWorld } from '../page-world.ts'

/** An entity of one test, and a key that calls as it. */
export interface OwnEntity {
  readonly id: string
  /** Of its key. */
  readonly secret: string
  /** A chat of one request and a few tokens; says the status. */
  call(): Promise<number>
  /** Charges a cost without a chat, on `_default_` where no resource is named. Throws where it is denied. */
  charge(cost: object, resource?: string): Promise<void>
  /** Reserves one token on `_default_`, and settles at `tokens`. */
  overdraw(tokens: number): Promise<void>
}

const RARELY = 1 / 3600

/** A limit of so many requests that does not fill up while a test runs. */
export const requests = (capacity: number) => ({ name: 'rpm', capacity, refill_rate: RARELY })

/** The same of tokens. */
export const tokens = (capacity: number) => ({ name: 'tpm', capacity, refill_rate: RARELY })

/** Makes an entity whose own limits on every resource are `limits`. */
export const createOwnEntity = async (
  world: PageWorld,
  id: string,
  limits: readonly object[],
  parentId?: string,
): Promise<OwnEntity> => {
  const secret = `secret-of-${id}-0123456789`
  const parent = parentId === undefined ? {} : { parent_id: parentId }
  await world.ask('POST', '/api/entities', { entity_id: id, name: `Name of ${id}`, ...parent })
  await world.ask('PUT', `/api/limits/${id}`, { limits })
  await world.ask('POST', `/api/entities/${id}/keys`, { name: 'test', secret })
  return {
    id,
    secret,
    call: () => callWith(world, secret),
    async charge(cost, resource = '_default_') {
      const { status } = await post(world, '/v1/limits/check', secret, { resource, cost })
      if (status !== 200) throw new Error(`the charge was answered with ${status}`)
    },
    overdraw: (tokens) => overdraw(world, secret, tokens),
  }
}

const overdraw = async (world: PageWorld, secret: string, tokens: number): Promise<void> => {
  const reserve = { cost: { tokens: 1 }, reserve: true }
  const reserved: unknown = await (await post(world, '/v1/limits/check', secret, reserve)).json()
  const settlement = { ...reservationOf(reserved), cost: { tokens } }
  const { status } = await post(world, '/v1/limits/settle', secret, settlement)
  if (status !== 200) throw new Error(`the settlement was answered with ${status}`)
}

const reservationOf = (body: unknown): { readonly reservation_id: unknown } => {
  if (typeof body === 'object' && body !== null && 'reservation_id' in body)
    return { reservation_id: body.reservation_id }
  throw new Error(`nothing was reserved: ${JSON.stringify(body)}`)
}

const post = (world: PageWorld, path: string, secret: string, body: object): Promise<Response> =>
  fetch(`${world.server().apiUrl}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })

/** A chat with a key; says the status. */
export const callWith = async (world: PageWorld, secret: string): Promise<number> => {
  const answer = await post(world, '/v1/chat/completions', secret, {
    model: 'gpt-4',
    max_tokens: 10,
    messages: [{ role: 'user', content: 'Hello' }],
  })
  await answer.text()
  return answer.status
}
