import { describe, expect, test } from 'vitest'
import type { PolicyWorld } from './policy-world.ts'

const USER_1 = { userId: 'ent-user-1', modelId: 'gpt-4o', tenantId: 'enterprise_co', modelTier: 'premium' }
const USER_2 = { ...USER_1, userId: 'ent-user-2' }
const FREE = { userId: 'free-user-1', modelId: 'tiny-model', tenantId: 'free_co', modelTier: 'free' }
const KEYED = { ...FREE, modelId: 'gpt-4o-mini', modelTier: 'standard', apiKey: 'free-co-key' }

/** The policy scenarios of the demo, on any store; each world is new. */
export const demoScenarios = (name: string, create: () => Promise<PolicyWorld>): void => {
  describe(`the demo's policies on ${name}`, () => {
    test('allow ent-user-1 on gpt-4o, and show 1/500 of the tenant', async () => {
      const { check } = await create()
      const hour = { window_seconds: 3600, window_minutes: 60 }
      expect(await check(USER_1)).toEqual({
        allowed: true,
        cause: null,
        primary: { label: 'TENANT enterprise_co', count: 1, limit: 500, window_seconds: 3600, percent: 0.2 },
        policies: [
          {
            label: 'TENANT enterprise_co',
            scope: 'TENANT',
            selector: 'enterprise_co',
            count: 1,
            limit: 500,
            ...hour,
          },
          {
            label: 'MODEL_TIER premium',
            scope: 'MODEL_TIER',
            selector: 'premium',
            count: 1,
            limit: 1000,
            ...hour,
          },
          { label: 'GLOBAL *', scope: 'GLOBAL', selector: '*', count: 1, limit: 1_000_000, ...hour },
        ],
      })
    })

    test('block the 11th of ent-user-2 on gpt-4o, which is counted nowhere', async () => {
      const { check, checks } = await create()
      const allowed = await checks(10, USER_2)
      expect(allowed.map(({ primary }) => primary?.count)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
      expect(allowed[9]?.primary).toEqual({
        label: 'USER_MODEL ent-user-2:gpt-4o',
        count: 10,
        limit: 10,
        window_seconds: 3600,
        percent: 100,
      })
      for (const blocked of await checks(3, USER_2)) {
        expect(blocked).toEqual({
          allowed: false,
          cause: 'USER_MODEL exceeded: 11/10 in the last 3600 seconds (key=USER_MODEL:ent-user-2:gpt-4o)',
          primary: {
            label: 'USER_MODEL ent-user-2:gpt-4o',
            count: 11,
            limit: 10,
            window_seconds: 3600,
            percent: 100,
          },
          policies: [],
        })
      }
      expect((await check({ ...USER_2, modelId: 'gpt-4' })).allowed).toBe(true)
      expect((await check(USER_1)).policies.map(({ count }) => count)).toEqual([12, 12, 12])
    })

    test('block the 11th of free_co on tiny-model by the tier', async () => {
      const { checks } = await create()
      const responses = await checks(11, FREE)
      expect(responses.map(({ allowed }) => allowed)).toEqual([
        ...Array.from({ length: 10 }, () => true),
        false,
      ])
      expect(responses[0]?.primary).toMatchObject({ label: 'TENANT free_co', count: 1, limit: 50 })
      expect(responses[10]).toMatchObject({
        cause: 'MODEL_TIER exceeded: 11/10 in the last 3600 seconds (key=MODEL_TIER:free)',
        primary: { label: 'MODEL_TIER free', count: 11, limit: 10 },
      })
    })

    test('block the 21st with free-co-key on gpt-4o-mini by the key', async () => {
      const { checks, check } = await create()
      const responses = await checks(21, KEYED)
      expect(responses.filter(({ allowed }) => allowed)).toHaveLength(20)
      expect(responses[20]).toMatchObject({
        allowed: false,
        cause: 'API_KEY exceeded: 21/20 in the last 3600 seconds (key=API_KEY:free-co-key)',
      })
      expect(await check({ ...KEYED, apiKey: null })).toMatchObject({
        allowed: true,
        primary: { label: 'TENANT free_co', count: 21, limit: 50 },
      })
    })

    test('list the most specific first, and the others after it', async () => {
      const { send, check, checks } = await create()
      const rph = (limit: number) => ({
        limits: [{ name: 'rph', algorithm: 'sliding_window', limit, window_seconds: 3600 }],
      })
      await send('PUT', '/api/policies/MODEL_TIER/premium', { body: rph(10) })
      await send('PUT', '/api/policies/TENANT/enterprise_co', { body: rph(10) })
      await checks(10, USER_2)
      expect((await check(USER_2)).cause).toBe(
        'USER_MODEL exceeded: 11/10 in the last 3600 seconds (key=USER_MODEL:ent-user-2:gpt-4o); ' +
          'also violated: TENANT (11/10), MODEL_TIER (11/10)',
      )
      expect((await check(USER_1)).cause).toBe(
        'TENANT exceeded: 11/10 in the last 3600 seconds (key=TENANT:enterprise_co); also violated: MODEL_TIER (11/10)',
      )
    })

    test('limit a chat by its user, in either way to name them', async () => {
      const { send } = await create()
      const chat = (user: string | undefined, headers: Record<string, string> = {}) =>
        send('POST', '/v1/chat/completions', {
          headers: { 'x-zael-entity': 'enterprise_co', ...headers },
          body: {
            model: 'gpt-4o',
            messages: [{ role: 'user', content: 'hi' }],
            max_tokens: 1,
            ...(user && { user }),
          },
        })
      for (let left = 5; left > 0; left--) {
        expect((await chat('ent-user-2')).status).toBe(200)
        expect((await chat(undefined, { 'x-user-id': 'ent-user-2' })).status).toBe(200)
      }
      const denied = await chat('ent-user-2', { 'x-user-id': 'ent-user-1' })
      expect(denied).toMatchObject({
        status: 429,
        body: {
          error: {
            message: expect.stringMatching(
              /^Rate limit reached for gpt-4o in organization enterprise_co on requests per hour \(RPH\): Limit 10, Used 10, Requested 1\. Please try again in /,
            ),
            type: 'requests',
            code: 'rate_limit_exceeded',
          },
          violations: [
            {
              limit_name: 'rph',
              entity_id: 'POLICY:USER_MODEL:ent-user-2:gpt-4o',
              resource: '_total_',
              available: 0,
              requested: 1,
              capacity: 10,
            },
          ],
        },
      })
      expect((await chat('ent-user-1')).status).toBe(200)
      expect((await chat(undefined)).status).toBe(200)
    })

    test('limit a chat by its key, tenant and tier without a user', async () => {
      const { send, check } = await create()
      const chat = () =>
        send('POST', '/v1/chat/completions', {
          headers: { 'x-zael-entity': 'free-co-key' },
          body: { model: 'tiny-model', messages: [{ role: 'user', content: 'hi' }], max_tokens: 1 },
        })
      for (let left = 10; left > 0; left--) expect((await chat()).status).toBe(200)
      expect(await chat()).toMatchObject({
        status: 429,
        body: { violations: [{ entity_id: 'POLICY:MODEL_TIER:free' }] },
      })
      expect(await check(KEYED)).toMatchObject({ primary: { label: 'API_KEY free-co-key', count: 11 } })
    })
  })
}
