import { Hono } from 'hono'
import { idParam, keyParams } from '../../contract/fields.ts'
import { keysResponse, newKeyBody, newKeyResponse, rotateBody } from '../../contract/keys.ts'
import type { NewKey } from '../../core/admin/keys.ts'
import { apiKeyToJson, epochSecondsOrNull } from '../../core/model/json.ts'
import { MS_NS } from '../../core/model/time.ts'
import type { AdminServices, AppEnv } from '../app-dependencies.ts'
import { jsonBody, optionalJsonBody, params } from '../body/validated.ts'
import { describeRoute } from '../openapi/described.ts'

const tag = 'Keys'

type Needs = Pick<AdminServices, 'keys'>

/** Mounted at `/entities`. */
export const createKeyRoutes = (needs: Needs) =>
  new Hono<AppEnv>().route('/', createCollectionRoutes(needs)).route('/', createSingleRoutes(needs))

const createCollectionRoutes = ({ keys }: Needs) =>
  new Hono<AppEnv>()
    .post(
      '/:id/keys',
      describeRoute({
        tag,
        summary: 'Create a key; its secret is shown only in this response',
        status: 201,
        response: newKeyResponse,
        errors: [400, 404, 409],
      }),
      params(idParam),
      jsonBody(newKeyBody),
      async (c) => {
        const { expires_at, ...rest } = c.req.valid('json')
        const draft = { ...rest, expiresAt: expires_at == null ? null : nsOf(expires_at) }
        const made = await keys.create(c.req.valid('param').id, draft, c.get('identity').kind)
        return c.json(newKeyJson(made), 201)
      },
    )
    .get(
      '/:id/keys',
      describeRoute({
        tag,
        summary: 'List an entity’s keys, masked',
        response: keysResponse,
        errors: [400, 404],
      }),
      params(idParam),
      async (c) => {
        const items = await keys.list(c.req.valid('param').id)
        return c.json({ items: items.map(apiKeyToJson), next_cursor: null })
      },
    )

const createSingleRoutes = ({ keys }: Needs) =>
  new Hono<AppEnv>()
    .delete(
      '/:id/keys/:key_id',
      describeRoute({ tag, summary: 'Revoke a key', status: 204, errors: [400, 404] }),
      params(keyParams),
      async (c) => {
        const { id, key_id } = c.req.valid('param')
        await keys.revoke(id, key_id, c.get('identity').kind)
        return c.body(null, 204)
      },
    )
    .post(
      '/:id/keys/:key_id/rotate',
      describeRoute({
        tag,
        summary: 'Replace a key; the old one stays valid for the grace period',
        status: 201,
        response: newKeyResponse,
        errors: [400, 404, 409],
      }),
      params(keyParams),
      optionalJsonBody(rotateBody),
      async (c) => {
        const { id, key_id } = c.req.valid('param')
        const graceNs = nsOf(c.req.valid('json').grace_seconds ?? 0)
        return c.json(newKeyJson(await keys.rotate(id, key_id, graceNs, c.get('identity').kind)), 201)
      },
    )

const newKeyJson = ({ key, secret }: NewKey) => ({
  key_id: key.keyId,
  secret,
  name: key.name,
  expires_at: epochSecondsOrNull(key.expiresAt),
})

/** Seconds, to the millisecond, in ns. */
const nsOf = (seconds: number): bigint => BigInt(Math.round(seconds * 1000)) * MS_NS
