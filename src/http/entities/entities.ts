import { Hono } from 'hono'
import type * as v from 'valibot'
import {
  childrenResponse,
  entitiesResponse,
  entityPatchBody,
  entityResponse,
  newEntityBody,
} from '../../contract/entities.ts'
import { DEFAULT_PER_PAGE, idParam, searchQuery } from '../../contract/fields.ts'
import type { EntityPatch } from '../../core/admin/entities.ts'
import { entityToJson } from '../../core/model/json.ts'
import type { AdminServices, AppEnv } from '../app-dependencies.ts'
import { jsonBody, params, query } from '../body/validated.ts'
import { preconditionOf, setEtag } from '../etag.ts'
import { describeRoute } from '../openapi/described.ts'

const tag = 'Entities'

type Needs = Pick<AdminServices, 'entities'>

export const createEntityRoutes = (needs: Needs) =>
  new Hono<AppEnv>()
    .route('/', createCollectionRoutes(needs))
    .route('/', createSingleRoutes(needs))
    .route('/', createDeleteRoute(needs))
    .route('/', createChildrenRoutes(needs))

const createCollectionRoutes = ({ entities }: Needs) =>
  new Hono<AppEnv>()
    .get(
      '/',
      describeRoute({
        tag,
        summary: 'List entities',
        description:
          'With `q`: entities whose id begins with it, then those whose id or name contains it. A page of a search may contain fewer than `limit` items, or none, and still have a `next_cursor`.',
        response: entitiesResponse,
        errors: [400, 429],
      }),
      query(searchQuery),
      async (c) => {
        const page = await entities.list({ limit: DEFAULT_PER_PAGE, ...c.req.valid('query') })
        return c.json({ items: page.items.map(entityToJson), next_cursor: page.nextCursor })
      },
    )
    .post(
      '/',
      describeRoute({
        tag,
        summary: 'Create an entity',
        status: 201,
        response: entityResponse,
        etag: 'shown',
        errors: [400, 409],
      }),
      jsonBody(newEntityBody),
      async (c) => {
        const { entity_id, name, ...rest } = c.req.valid('json')
        const draft = { id: entity_id, name, ...patchOf(rest) }
        const entity = await entities.create(draft, c.get('identity').kind)
        setEtag(c, entity.version)
        return c.json(entityToJson(entity), 201)
      },
    )

const createSingleRoutes = ({ entities }: Needs) =>
  new Hono<AppEnv>()
    .get(
      '/:id',
      describeRoute({
        tag,
        summary: 'Show an entity',
        response: entityResponse,
        etag: 'shown',
        errors: [400, 404],
      }),
      params(idParam),
      async (c) => {
        const entity = await entities.get(c.req.valid('param').id)
        setEtag(c, entity.version)
        return c.json(entityToJson(entity))
      },
    )
    .patch(
      '/:id',
      describeRoute({
        tag,
        summary: 'Change an entity',
        response: entityResponse,
        etag: 'compared',
        errors: [400, 404, 409],
      }),
      params(idParam),
      jsonBody(entityPatchBody),
      async (c) => {
        const patch = patchOf(c.req.valid('json'))
        const { id } = c.req.valid('param')
        const entity = await entities.change(id, patch, c.get('identity').kind, preconditionOf(c))
        setEtag(c, entity.version)
        return c.json(entityToJson(entity))
      },
    )

const createDeleteRoute = ({ entities }: Needs) =>
  new Hono<AppEnv>().delete(
    '/:id',
    describeRoute({
      tag,
      summary: 'Delete an entity without children',
      status: 204,
      etag: 'condition',
      errors: [400, 404, 409],
    }),
    params(idParam),
    async (c) => {
      await entities.remove(c.req.valid('param').id, c.get('identity').kind, preconditionOf(c))
      return c.body(null, 204)
    },
  )

const createChildrenRoutes = ({ entities }: Needs) =>
  new Hono<AppEnv>().get(
    '/:id/children',
    describeRoute({
      tag,
      summary: 'List the ids of an entity’s children',
      response: childrenResponse,
      errors: [400, 404],
    }),
    params(idParam),
    async (c) => {
      const { id } = c.req.valid('param')
      return c.json({ entity_id: id, children: await entities.children(id) })
    },
  )

const patchOf = ({ parent_id, ...rest }: v.InferOutput<typeof entityPatchBody>): EntityPatch => ({
  ...rest,
  ...(parent_id !== undefined && { parentId: parent_id }),
})
