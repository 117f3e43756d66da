import { expect, test } from 'vitest'
import { ask, newCaller, scanTable } from './deployment.ts'

test('a reservation is charged, settled once, and readable in the table', async () => {
  const { entityId, key } = await newCaller({ rpm: 5, tpm: 1000 })
  const check = (body: object) => ask(key, 'POST', '/v1/limits/check', body)
  const asking = { cost: { requests: 1, tokens: 800 }, reserve: true, idempotency_key: 'job-1' }
  const first = await check(asking)
  expect(first).toMatchObject({ status: 200, body: { allowed: true, violations: [] } })
  expect((await check(asking)).body).toEqual(first.body)
  expect((await check({ ...asking, reserve: false })).status).toBe(409)
  expect(await check({ cost: { tokens: 800 } })).toMatchObject({
    status: 429,
    body: { allowed: false, error: { code: 'rate_limit_exceeded' }, violations: [{ limit_name: 'tpm' }] },
  })

  const { reservation_id } = first.body
  const settle = () => ask(key, 'POST', '/v1/limits/settle', { reservation_id, cost: { tokens: 100 } })
  expect((await settle()).body).toEqual({ reservation_id, settled: true, state: 'settled' })
  expect((await settle()).body).toEqual({ reservation_id, settled: false, state: 'settled' })
  const after = await check({ cost: { tokens: 800 } })
  expect(after.headers.get('ratelimit')).toContain('"tpm";r=100')

  const stored = (await scanTable()).filter(({ owner }) => owner?.S === entityId)
  expect(stored).toMatchObject([{ PK: { S: `RESERVATION#${reservation_id}` }, state: { S: 'settled' } }])
})

test('a list is decided in order, and an abandoned reservation is released', async () => {
  const { key } = await newCaller({ rpm: 2, tpm: 1000 })
  const { status, body } = await ask(key, 'POST', '/v1/limits/check', [{}, { reserve: true }, {}])
  expect([status, body.map(({ allowed }: { allowed: boolean }) => allowed)]).toEqual([
    200,
    [true, true, false],
  ])
  const { reservation_id } = body[1]
  const released = await ask(key, 'POST', '/v1/limits/release', { reservation_id })
  expect(released.body).toEqual({ reservation_id, released: true, state: 'released' })
  expect((await ask(key, 'POST', '/v1/limits/check', {})).status).toBe(200)
})
