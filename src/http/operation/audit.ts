import { Hono } from 'hono'
import { DEFAULT_PER_PAGE } from '../../contract/fields.ts'
import { auditQuery, auditResponse } from '../../contract/history.ts'
import { MS_NS, SECOND_NS } from '../../core/model/time.ts'
import type { AdminStore, AuditRecord } from '../../core/ports/admin-store.ts'
import type { AppEnv } from '../app-dependencies.ts'
import { query } from '../body/validated.ts'
import { describeRoute } from '../openapi/described.ts'

export const createAuditRoutes = ({ store }: { readonly store: AdminStore }) =>
  new Hono<AppEnv>().get(
    '/',
    describeRoute({
      tag: 'Audit',
      summary: 'List changes and their actors, newest first',
      response: auditResponse,
      errors: [400],
    }),
    query(auditQuery),
    async (c) => {
      const { entity_id, from, limit = DEFAULT_PER_PAGE, cursor } = c.req.valid('query')
      const page = await store.listAudit({
        limit,
        ...(cursor !== undefined && { cursor }),
        ...(entity_id !== undefined && { subject: entity_id }),
        ...(from !== undefined && { from: BigInt(from) * SECOND_NS }),
      })
      return c.json({ items: page.items.map(auditJson), next_cursor: page.nextCursor })
    },
  )

const auditJson = ({ at, actor, action, subject, before, after }: AuditRecord) => ({
  at: Number(at / MS_NS) / 1000,
  actor,
  action,
  subject,
  before,
  after,
})
