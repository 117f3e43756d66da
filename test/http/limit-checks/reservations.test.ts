import { describe, expect, test } from 'vitest'
import { extendedResponse, releasedResponse, settledResponse } from '../../../src/contract/checks.ts'
import { StoreUnavailable } from '../../../src/core/model/errors.ts'
import { SECOND, START } from '../../core/test-clock.ts'
import { createMemoryReservationStore } from '../../support/memory-request-stores.ts'
import { asDescribed } from '../as-described.ts'
import { ADMIN_FOR_BOB, ALICE, BOB, createCheckingApp } from './checking-app.ts'

const reserved = async (more: object = {}) => {
  const app = await createCheckingApp()
  const response = await app.passes({ reserve: true, cost: { requests: 1, tokens: 400 }, ...more })
  const { reservation_id = '', expires_at } = response
  const settle = async (cost: object, headers = BOB) =>
    asDescribed(await app.end('settle', { reservation_id, cost }, headers), settledResponse)
  const release = async () => asDescribed(await app.end('release', { reservation_id }), releasedResponse)
  return { ...app, reservation_id, expires_at, settle, release }
}

describe('a reservation', () => {
  test('is charged and not yet used, and returns until when it can be settled', async () => {
    const { reservation_id, expires_at, left, stored } = await reserved()
    expect(reservation_id).toMatch(/^[\w-]{20,}$/)
    expect(expires_at).toBe(Number(START / SECOND) + 600)
    expect([await left('rpm'), await left('tpm')]).toEqual([9, 600])
    expect(Object.keys(await stored()).filter((name) => name.startsWith('used'))).toEqual([])
  })

  test('is settled to the total use; omitted meters stay as reserved', async () => {
    const { reservation_id, settle, left, stored } = await reserved()
    expect(await settle({ tokens: 150 })).toEqual({ reservation_id, settled: true, state: 'settled' })
    expect([await left('rpm'), await left('tpm')]).toEqual([9, 850])
    expect(await stored()).toMatchObject({ used_requests: 1n, used_tokens: 150n })
  })

  test('can be settled to more than was reserved', async () => {
    const { settle, left, stored } = await reserved()
    await settle({ input_tokens: 500, output_tokens: 100 })
    expect(await left('tpm')).toBe(400)
    expect(await stored()).toMatchObject({ used_tokens: 600n, used_input_tokens: 500n })
  })

  test('is refunded if it is released', async () => {
    const { reservation_id, release, left, stored } = await reserved()
    expect(await release()).toEqual({ reservation_id, released: true, state: 'released' })
    expect([await left('rpm'), await left('tpm')]).toEqual([10, 1000])
    expect(await stored()).not.toHaveProperty('used_requests')
  })

  test('ends once', async () => {
    const { reservation_id, settle, release, left } = await reserved()
    await settle({ tokens: 100 })
    expect(await settle({ tokens: 900 })).toEqual({ reservation_id, settled: false, state: 'settled' })
    expect(await release()).toEqual({ reservation_id, released: false, state: 'settled' })
    expect(await left('tpm')).toBe(900)
  })

  test('stays charged if it expires, and is not counted as used', async () => {
    const { reservation_id, expires_at, settle, clock, left, stored } = await reserved({
      expires_in_seconds: 5,
    })
    expect(expires_at).toBe(Number(START / SECOND) + 5)
    clock.advance(5n * SECOND)
    expect(await settle({ tokens: 0 })).toEqual({ reservation_id, settled: false, state: 'expired' })
    expect(await left('tpm')).toBe(600)
    expect(await stored()).not.toHaveProperty('used_tokens')
  })

  test('belongs to its caller, or to an admin who acts for them', async () => {
    const { reservation_id, end, settle } = await reserved()
    for (const how of ['settle', 'release'] as const) {
      const foreign = await end(how, { reservation_id, ...(how === 'settle' && { cost: {} }) }, ALICE)
      expect(foreign).toMatchObject({
        status: 404,
        body: { error: { code: 'not_found', param: 'reservation_id' } },
      })
    }
    expect(await settle({}, ADMIN_FOR_BOB)).toMatchObject({ settled: true })
  })

  test.each([
    ['settle', 'cost.tokens', { cost: { tokens: -1 } }],
    ['settle', 'cost.tokens', { cost: { tokens: 0.5 } }],
    ['settle', 'cost.coins', { cost: { coins: 1 } }],
    ['settle', 'cost', {}],
    ['settle', 'reservation_id', { cost: {}, reservation_id: 7 }],
    ['release', 'cost', { cost: {} }],
    ['release', 'reservation_id', { reservation_id: undefined }],
    ['release', 'body', []],
  ] as const)('is not ended by a %s with a bad %s', async (how, field, body) => {
    const { reservation_id, end, left, settle } = await reserved()
    const sent = Array.isArray(body) ? body : { reservation_id, ...body }
    expect(await end(how, sent)).toMatchObject({ status: 400, body: { error: { param: field } } })
    expect(await left('tpm')).toBe(600)
    expect(await settle({})).toMatchObject({ settled: true })
  })

  test('is not found under an invalid id', async () => {
    const { end } = await createCheckingApp()
    for (const reservation_id of ['', 'nothing', 'a#b', '../META'])
      expect((await end('release', { reservation_id })).status).toBe(404)
  })

  test('is refunded if it cannot be stored: 503', async () => {
    const put = () => Promise.reject(new StoreUnavailable('away', { mayHaveApplied: false }))
    const { check, left } = await createCheckingApp({
      table: { reservations: { ...createMemoryReservationStore(), put } },
    })
    expect(await check({ reserve: true, cost: { tokens: 400 } })).toMatchObject({
      status: 503,
      body: { error: { code: 'unavailable' } },
    })
    expect(await left('tpm')).toBe(1000)
    const list = await check([{ reserve: true, cost: { tokens: 400 } }, {}])
    expect(list.headers.get('x-zael-degraded')).toBe('true')
    expect(list).toMatchObject({
      status: 200,
      body: [{ allowed: false, error: { code: 'unavailable' }, degraded: true }, { allowed: true }],
    })
    expect(await left('tpm')).toBe(1000)
  })

  test('is not made for a denied check', async () => {
    const { check } = await createCheckingApp()
    const { status, body } = await check({ reserve: true, cost: { tokens: 1001 } })
    expect(status).toBe(429)
    expect(body).not.toHaveProperty('reservation_id')
  })
})

describe('a reservation that is extended', () => {
  const extended = async (more: object = {}) => {
    const app = await reserved({ expires_in_seconds: 10 })
    const { reservation_id } = app
    const extend = async (fields: object = more, headers = BOB) =>
      asDescribed(await app.end('extend', { reservation_id, ...fields }, headers), extendedResponse)
    return { ...app, extend }
  }
  const inSeconds = (seconds: number) => Number(START / SECOND) + seconds

  test('can be settled until its new expiry', async () => {
    const { reservation_id, extend, settle, clock } = await extended()
    clock.advance(9n * SECOND)
    expect(await extend({ expires_in_seconds: 100 })).toEqual({
      reservation_id,
      extended: true,
      state: 'open',
      expires_at: inSeconds(109),
    })
    clock.advance(99n * SECOND)
    expect(await settle({ tokens: 100 })).toMatchObject({ settled: true })
  })

  test('ends 600 s from then by default, and never earlier than before', async () => {
    const { extend } = await extended()
    expect(await extend()).toMatchObject({ extended: true, expires_at: inSeconds(600) })
    expect(await extend({ expires_in_seconds: 5 })).toMatchObject({
      extended: false,
      state: 'open',
      expires_at: inSeconds(600),
    })
  })

  test('stays unchanged after it has ended', async () => {
    const { reservation_id, extend, settle, left } = await extended()
    await settle({ tokens: 100 })
    expect(await extend()).toEqual({ reservation_id, extended: false, state: 'settled' })
    expect(await left('tpm')).toBe(900)
    const expired = await extended()
    expired.clock.advance(10n * SECOND)
    expect(await expired.extend()).toMatchObject({ extended: false, state: 'expired' })
    expect(await expired.settle({})).toMatchObject({ settled: false, state: 'expired' })
  })

  test('belongs to its caller, or to an admin who acts for them', async () => {
    const { reservation_id, end, extend } = await extended()
    expect(await end('extend', { reservation_id }, ALICE)).toMatchObject({
      status: 404,
      body: { error: { code: 'not_found', param: 'reservation_id' } },
    })
    expect((await end('extend', { reservation_id: 'a#b' })).status).toBe(404)
    expect(await extend({}, ADMIN_FOR_BOB)).toMatchObject({ extended: true })
  })

  test.each([0, 3601, 1.5, '60', null])('is not extended by %s seconds', async (expires_in_seconds) => {
    const { reservation_id, end } = await extended()
    expect(await end('extend', { reservation_id, expires_in_seconds })).toMatchObject({
      status: 400,
      body: { error: { param: 'expires_in_seconds' } },
    })
  })

  test('can be extended again if the response was lost', async () => {
    const reservations = createMemoryReservationStore()
    const { extend } = reservations
    let isLost = true
    reservations.extend = async (extension) => {
      const outcome = await extend(extension)
      if (!isLost) return outcome
      isLost = false
      throw new StoreUnavailable('lost', { mayHaveApplied: true })
    }
    const { passes, end } = await createCheckingApp({ table: { reservations } })
    const { reservation_id } = await passes({ reserve: true })
    const response = await end('extend', { reservation_id, expires_in_seconds: 3600 })
    expect(asDescribed(response, extendedResponse)).toMatchObject({ extended: true })
  })
})

describe('a reservation of no cost', () => {
  test.each([
    ['cost', { cost: {} }],
    ['cost', { cost: { requests: 0, tokens: 0 } }],
    ['cost', { cost: { tokens: 0 }, idempotency_key: 'once' }],
  ])('is rejected by the name of the field: %s', async (param, body) => {
    const { check } = await createCheckingApp()
    expect(await check({ ...body, reserve: true })).toMatchObject({ status: 400, body: { error: { param } } })
    expect(await check([{}, { ...body, reserve: true }])).toMatchObject({
      status: 400,
      body: { error: { param: '[1].cost' } },
    })
    expect((await check({ ...body, idempotency_key: undefined })).status).toBe(200)
  })
})

describe('two nodes on one table', () => {
  test("settle each other's reservations, once", async () => {
    const here = await createCheckingApp()
    const there = await createCheckingApp({ table: here.table })
    const { reservation_id } = await here.passes({ reserve: true, cost: { tokens: 400 } })
    const endings = await Promise.all([
      there.end('settle', { reservation_id, cost: { tokens: 30 } }),
      here.end('settle', { reservation_id, cost: { tokens: 30 } }),
      there.end('settle', { reservation_id, cost: { tokens: 30 } }),
    ])
    expect(endings.map(({ status }) => status)).toEqual([200, 200, 200])
    expect(endings.filter(({ body }) => (body as { settled: boolean }).settled)).toHaveLength(1)
    expect(await there.left('tpm')).toBe(970)
    await here.stored()
    expect(await there.stored()).toMatchObject({ used_tokens: 30n })
  })

  test('execute a request with an idempotency key once', async () => {
    const here = await createCheckingApp()
    const there = await createCheckingApp({ table: here.table })
    const body = { idempotency_key: 'once', cost: { tokens: 10 }, reserve: true }
    const first = await here.passes(body)
    expect(await there.passes(body)).toEqual(first)
    expect(await there.left('tpm')).toBe(990)
  })
})

describe('settlements of one bucket on a server', () => {
  const SHARES = { limiter: { sharesRefunds: true } }

  /** A node that settles four reservations of another and releases four, of 50 tokens and a request each. */
  const ended = async () => {
    const here = await createCheckingApp()
    const server = await createCheckingApp({ table: here.table, ...SHARES })
    const ids: string[] = []
    for (let at = 0; at < 8; at++)
      ids.push((await here.passes({ reserve: true, cost: { requests: 1, tokens: 50 } })).reservation_id ?? '')
    const { rev: before } = await here.stored()
    const endings = await Promise.all(
      ids.map((reservation_id, at) =>
        at < 4
          ? server.end('settle', { reservation_id, cost: { tokens: 10 } })
          : server.end('release', { reservation_id }),
      ),
    )
    const writes = async () => Number((await here.stored()).rev) - Number(before)
    return { here, server, ids, endings, writes }
  }

  test('after the first share one write within the next quarter of a second, whichever node charged', async () => {
    const { here, server, endings, writes } = await ended()
    expect(endings.map(({ body }) => (body as { state: string }).state)).toEqual([
      ...Array(4).fill('settled'),
      ...Array(4).fill('released'),
    ])
    expect(await writes()).toBe(1)
    await server.deps.limiter.flush()
    expect(await writes()).toBe(2)
    expect([await here.left('rpm'), await here.left('tpm')]).toEqual([6, 960])
    expect(await here.stored()).toMatchObject({ used_requests: 4n, used_tokens: 40n })
  })

  test('appear at once in what the node shows', async () => {
    const { server } = await ended()
    expect([await server.left('rpm'), await server.left('tpm')]).toEqual([6, 960])
  })

  test('end once, although their refund waits', async () => {
    const { here, server, ids } = await ended()
    for (const reservation_id of ids)
      expect((await here.end('release', { reservation_id })).body).toMatchObject({ released: false })
    await server.deps.limiter.flush({ all: true })
    expect([await here.left('rpm'), await here.left('tpm')]).toEqual([6, 960])
  })

  test('do not make the node deny what they have released', async () => {
    const { server } = await ended()
    expect((await server.check({ cost: { requests: 1, tokens: 900 } })).status).toBe(200)
    expect(await server.left('tpm')).toBe(60)
  })

  test('beyond the reservation are charged at once, and bounded', async () => {
    const { here, server } = await ended()
    const { reservation_id } = await server.passes({ reserve: true, cost: { tokens: 50 } })
    const before = await here.left('tpm')
    await server.end('settle', { reservation_id, cost: { tokens: 350 } })
    expect(await here.left('tpm')).toBe((before ?? 0) - 300)
  })
})
