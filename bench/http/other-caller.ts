import type { ChildServer } from '../child-server.ts'
import { median } from '../measure.ts'
import { adminCalls } from './admin-calls.ts'

const CONNECTIONS = 4

/** A caller who sends checks while others may delay them. */
export interface OtherCaller {
  /** The p50 of its checks during `seconds`, in ms. */
  p50Ms(seconds: number): Promise<number>
}

/** The headers of a request with a JSON body. */
export const headersOf = (secret: string) => ({
  authorization: `Bearer ${secret}`,
  'content-type': 'application/json',
})

/** Adds an entity `id` with the key `secret` and large limits; `lease_ttl_seconds: 0` makes its decisions exact. */
export const addCaller = async (
  { url }: ChildServer,
  id: string,
  secret: string,
  rules: { readonly lease_ttl_seconds?: number } = {},
): Promise<OtherCaller> => {
  const call = adminCalls(url)
  await call('POST', '/api/entities', { entity_id: id, name: id })
  await call('POST', `/api/entities/${id}/keys`, { secret })
  await call('PUT', `/api/limits/${id}`, {
    limits: [
      { name: 'rpm', capacity: 1_000_000_000, refill_rate: 1_000_000, ...rules },
      { name: 'tpm', capacity: 1_000_000_000_000, refill_rate: 1_000_000, ...rules },
    ],
  })
  return { p50Ms: (seconds) => checksOf(url, secret, seconds) }
}

const checksOf = async (url: string, secret: string, seconds: number): Promise<number> => {
  const latencies: number[] = []
  const end = performance.now() + seconds * 1000
  const loop = async (): Promise<void> => {
    while (performance.now() < end) {
      const before = performance.now()
      const response = await fetch(`${url}/v1/limits/check`, {
        method: 'POST',
        headers: headersOf(secret),
        body: '{"cost":{"requests":1}}',
      })
      await response.text()
      if (!response.ok) throw new Error(`a check returned ${response.status}`)
      latencies.push(performance.now() - before)
    }
  }
  await Promise.all(Array.from({ length: CONNECTIONS }, loop))
  return median(latencies)
}
