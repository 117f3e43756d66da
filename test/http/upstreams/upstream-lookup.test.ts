import { expect, test } from 'vitest'
import { createUpstreamLookup } from '../../../src/http/upstreams/upstream-lookup.ts'
import { lruCaches } from '../../../src/platform/runtime.ts'
import { createTestClock, SECOND } from '../../core/test-clock.ts'
import { anAudit, anUpstream } from '../../store/store-fixtures.ts'
import { createTestAdminStore } from '../test-admin-store.ts'

const setUp = (environmentUpstream = null as ReturnType<typeof anUpstream> | null) => {
  const [clock, store] = [createTestClock(), createTestAdminStore()]
  const lookup = createUpstreamLookup({
    store,
    clock,
    caches: lruCaches,
    settings: { configCacheMs: 30_000 },
    environmentUpstream,
  })
  return { clock, store, lookup }
}

const OPENAI = anUpstream({ name: 'openai' })

test('reads an upstream once within the age of configuration, and its absence too', async () => {
  const { clock, store, lookup } = setUp()
  expect(await lookup.upstream('openai')).toBeUndefined()
  expect(await lookup.hasUpstreams()).toBe(false)
  await store.putUpstream(OPENAI, anAudit())
  expect(await lookup.upstream('openai')).toBeUndefined()
  expect(await lookup.hasUpstreams()).toBe(false)
  clock.advance(30n * SECOND)
  expect(await lookup.upstream('openai')).toEqual(OPENAI)
  expect(await lookup.hasUpstreams()).toBe(true)
  await lookup.upstream('openai')
  expect(store.calls.get('upstream')).toBe(2)
  expect(store.calls.get('listUpstreams')).toBe(2)
})

test('forgets an upstream that this process has changed', async () => {
  const { clock, store, lookup } = setUp()
  expect([await lookup.upstream('openai'), await lookup.hasUpstreams()]).toEqual([undefined, false])
  await store.putUpstream(OPENAI, anAudit())
  lookup.forget('openai')
  clock.advance(1n)
  expect([await lookup.upstream('openai'), await lookup.hasUpstreams()]).toEqual([OPENAI, true])
})

test('the upstream of the environment needs no store', async () => {
  const fixed = anUpstream({ name: 'default' })
  const { store, lookup } = setUp(fixed)
  store.isUnavailable = true
  expect(await lookup.upstream('default')).toBe(fixed)
  expect(await lookup.hasUpstreams()).toBe(true)
  await expect(lookup.upstream('openai')).rejects.toThrow('away')
})

test('a name that no upstream can have is not read', async () => {
  const { store, lookup } = setUp()
  expect(await lookup.upstream('a b')).toBeUndefined()
  expect(store.calls.get('upstream')).toBeUndefined()
})
