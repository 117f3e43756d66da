import { describe, expect, test } from 'vitest'
import { auditResponse } from '../../../src/contract/history.ts'
import { policyResponse } from '../../../src/contract/policies.ts'
import { type BucketStore, policyBucket } from '../../../src/core/bucket/bucket-store.ts'
import { StoreUnavailable } from '../../../src/core/model/errors.ts'
import { createMemoryBucketStore } from '../../../src/store/memory/bucket-store.ts'
import { createTestClock, SECOND } from '../../core/test-clock.ts'
import { asDescribed } from '../as-described.ts'
import { createTestAdminStore } from '../test-admin-store.ts'
import { VIEWER } from '../test-app.ts'
import { createPolicyWorld } from './policy-world.ts'

const PATH = '/api/policies/TENANT/enterprise_co'

const KEY = { scope: 'TENANT', selector: 'enterprise_co' } as const

/** Slow enough that nothing refills within a test. */
const body = { limits: [{ name: 'tpm', capacity: 1000, refill_rate: 1 / 3600 }] }

const FOR_TENANT = { 'x-zael-entity': 'enterprise_co' }

/** The demo data, with a policy on the tokens of a tenant. `others`: further nodes on the same table. */
const withPolicy = async (wrap: (buckets: BucketStore) => BucketStore = (buckets) => buckets) => {
  const [store, clock, memory] = [createTestAdminStore(), createTestClock(), createMemoryBucketStore()]
  const join = () => createPolicyWorld({ store, clock, buckets: wrap(memory) })
  const world = await join()
  await world.send('PUT', PATH, { body })
  const use = (tokens: number, node = world) =>
    node.send('POST', '/v1/limits/check', { headers: FOR_TENANT, body: { cost: { tokens } } })
  const reserve = async (tokens: number): Promise<string> => {
    const sent = { cost: { tokens }, reserve: true }
    const { body } = await world.send('POST', '/v1/limits/check', { headers: FOR_TENANT, body: sent })
    return (body as { reservation_id: string }).reservation_id
  }
  const settle = (reservation_id: string, tokens: number) =>
    world.send('POST', '/v1/limits/settle', {
      headers: FOR_TENANT,
      body: { reservation_id, cost: { tokens } },
    })
  const left = async () => {
    const { body } = await use(2000)
    const { violations } = body as { violations: readonly { entity_id: string; available: number }[] }
    return violations.find(({ entity_id }) => entity_id === 'POLICY:TENANT:enterprise_co')?.available
  }
  return { ...world, clock, memory, join, use, reserve, settle, left }
}

describe('a policy after a reset', () => {
  test('is full, whatever its debt, and the audit record names the admin', async () => {
    const { send, use, reserve, settle, left } = await withPolicy()
    await settle(await reserve(1), 2 ** 50)
    expect((await use(1)).status).toBe(429)
    const response = asDescribed(await send('POST', `${PATH}/reset`), policyResponse)
    expect(response).toEqual(asDescribed(await send('GET', PATH), policyResponse))
    expect((await use(1)).status).toBe(200)
    expect(await left()).toBe(999)
    const audit = asDescribed(await send('GET', '/api/audit'), auditResponse)
    expect(audit.items.find(({ action }) => action === 'bucket.reset')).toMatchObject({
      actor: 'admin',
      action: 'bucket.reset',
      subject: 'POLICY#TENANT#enterprise_co',
    })
  })

  test('is full on other nodes as well, which have it cached', async () => {
    const { send, use, join } = await withPolicy()
    const other = await join()
    expect((await use(1000, other)).status).toBe(200)
    expect((await use(1, other)).status).toBe(429)
    await send('POST', `${PATH}/reset`)
    expect((await use(1000)).status).toBe(200)
  })

  test('is refunded nothing that was charged before', async () => {
    const { send, reserve, settle, use, left } = await withPolicy()
    const id = await reserve(800)
    await send('POST', `${PATH}/reset`)
    expect((await use(1000)).status).toBe(200)
    await settle(id, 0)
    expect(await left()).toBe(0)
  })

  test.each(['GLOBAL/*', 'GLOBAL/%2A', 'USER_MODEL/ann/org/gpt', 'USER_MODEL/ann/reset'])(
    'may be named by the path %s',
    async (path) => {
      const { send } = await withPolicy()
      await send('PUT', `/api/policies/${path}`, { body })
      expect((await send('POST', `/api/policies/${path}/reset`)).status).toBe(200)
    },
  )

  test.each([
    [404, 'TENANT/nobody/reset'],
    [400, 'TENANT/a%23b/reset'],
    [400, 'NOTHING/a/reset'],
    [405, 'TENANT/enterprise_co'],
  ])('returns %s for the path %s', async (status, path) => {
    const { send } = await withPolicy()
    expect((await send('POST', `/api/policies/${path}`)).status).toBe(status)
  })

  test('requires an administrator', async () => {
    const { send } = await withPolicy()
    expect((await send('POST', `${PATH}/reset`, { headers: VIEWER })).status).toBe(403)
    const caller = { authorization: 'Bearer key-alice' }
    expect((await send('POST', `${PATH}/reset`, { headers: caller })).status).toBe(403)
  })
})

describe('a deleted policy', () => {
  test('has no bucket, and starts full when it is created again', async () => {
    const { send, memory, reserve, settle, use } = await withPolicy()
    await settle(await reserve(1), 2 ** 50)
    expect((await send('DELETE', PATH)).status).toBe(204)
    expect(await memory.read(policyBucket(KEY))).toBeUndefined()
    await send('PUT', PATH, { body })
    expect((await use(1000)).status).toBe(200)
    expect((await use(1)).status).toBe(429)
  })

  test('is refunded nothing that was charged before, and gets no bucket for use', async () => {
    const { send, memory, reserve, settle, use, left } = await withPolicy()
    const [early, late] = [await reserve(400), await reserve(400)]
    await send('DELETE', PATH)
    await settle(early, 0)
    expect(await memory.read(policyBucket(KEY))).toBeUndefined()
    await send('PUT', PATH, { body })
    expect((await use(900)).status).toBe(200)
    await settle(late, 0)
    expect(await left()).toBe(100)
  })

  test('starts full even if its bucket could not be deleted, or was charged since by a node with a cached policy', async () => {
    let isUnavailable = false
    const { send, use, memory } = await withPolicy((buckets) => ({
      ...buckets,
      remove: (id) =>
        isUnavailable
          ? Promise.reject(new StoreUnavailable('away', { mayHaveApplied: false }))
          : buckets.remove(id),
    }))
    expect((await use(1000)).status).toBe(200)
    isUnavailable = true
    expect((await send('DELETE', PATH)).status).toBe(503)
    expect((await send('GET', PATH)).status).toBe(404)
    expect(await memory.read(policyBucket(KEY))).toBeDefined()
    isUnavailable = false
    expect((await send('PUT', PATH, { body })).status).toBe(201)
    expect((await use(1000)).status).toBe(200)
  })

  test('keeps its charges if its limits are only replaced', async () => {
    const { send, use, left, clock } = await withPolicy()
    await use(600)
    clock.advance(2n * SECOND)
    await send('PUT', PATH, { body: { limits: [{ name: 'tpm', capacity: 900, refill_rate: 1 / 3600 }] } })
    expect(await left()).toBe(300)
  })
})
