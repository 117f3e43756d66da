import type { PageWorld } from '../page-world.ts'

/** An entity of one test, and a key that calls as it. */
export interface OwnEntity {
  readonly id: string
  /** A chat of one request and a few tokens; says the status. */
  call(): Promise<number>
}

const RARELY = 1 / 3600

/** A limit of so many requests that does not fill up while a test runs. */
export const requests = (capacity: number) => ({ name: 'rpm', capacity, refill_rate: RARELY })

/** Makes an entity whose own limits on every resource are `limits`. */
export const createOwnEntity = async (
  world: PageWorld,
  id: string,
  limits: readonly object[],
): Promise<OwnEntity> => {
  const secret = `secret-of-${id}-0123456789`
  await world.ask('POST', '/api/entities', { entity_id: id, name: `Name of ${id}` })
  await world.ask('PUT', `/api/limits/${id}`, { limits })
  await world.ask('POST', `/api/entities/${id}/keys`, { name: 'test', secret })
  return { id, call: () => callWith(world, secret) }
}

/** A chat with a key; says the status. */
export const callWith = async (world: PageWorld, secret: string): Promise<number> => {
  const answer = await fetch(`${world.server().apiUrl}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      model: 'gpt-4',
      max_tokens: 10,
      messages: [{ role: 'user', content: 'Hello' }],
    }),
  })
  await answer.text()
  return answer.status
}
