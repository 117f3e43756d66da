import { Hono } from 'hono'
import {
  alertBody,
  alertDraftOf,
  alertEventsResponse,
  alertParam,
  alertResponse,
  alertsResponse,
} from '../../contract/alerts.ts'
import { DEFAULT_PER_PAGE, pageQuery } from '../../contract/fields.ts'
import type { AlertService } from '../../core/admin/alerts.ts'
import type { AlertEvent } from '../../core/model/alert.ts'
import { alertToJson, epochSeconds, reachedShareToJson } from '../../core/model/json.ts'
import { MS_NS } from '../../core/model/time.ts'
import type { AlertEventStore } from '../../core/ports/alert-store.ts'
import type { AppEnv } from '../app-dependencies.ts'
import { jsonBody, params, query } from '../body/validated.ts'
import { preconditionOf, setEtag } from '../etag.ts'
import { describeRoute } from '../openapi/described.ts'

const tag = 'Alerts'

const routes = {
  list: describeRoute({ tag, summary: 'List alerts', response: alertsResponse }),
  events: describeRoute({
    tag,
    summary: 'List what alerts reported, newest first',
    description: 'With the state of each delivery. An event is listed for 90 days after its window.',
    response: alertEventsResponse,
    errors: [400],
  }),
  get: describeRoute({
    tag,
    summary: 'Get an alert',
    response: alertResponse,
    etag: 'shown',
    errors: [400, 404],
  }),
  put: describeRoute({
    tag,
    summary: 'Add an alert, or replace it',
    description:
      '201 if it is new. Without `entity_id` and `policy` it observes every bucket, without `limit_name` every limit. It takes effect within 30 seconds.',
    otherStatus: 201,
    response: alertResponse,
    etag: 'compared',
    errors: [400, 409],
  }),
  remove: describeRoute({
    tag,
    summary: 'Remove an alert',
    description: 'What it has not delivered is given up.',
    status: 204,
    etag: 'condition',
    errors: [400, 404, 409],
  }),
}

export interface AlertRoutesNeeds {
  readonly alerts: AlertService
  readonly alertEvents: Pick<AlertEventStore, 'listEvents'>
}

export const createAlertRoutes = ({ alerts, alertEvents }: AlertRoutesNeeds) =>
  new Hono<AppEnv>()
    .get('/', routes.list, async (c) =>
      c.json({ items: (await alerts.list()).map(alertToJson), next_cursor: null }),
    )
    .get('/events', routes.events, query(pageQuery), async (c) => {
      const { limit = DEFAULT_PER_PAGE, cursor } = c.req.valid('query')
      const page = await alertEvents.listEvents({ limit, ...(cursor !== undefined && { cursor }) })
      return c.json({ items: page.items.map(eventToJson), next_cursor: page.nextCursor })
    })
    .get('/:name', routes.get, params(alertParam, {}), async (c) => {
      const alert = await alerts.get(c.req.valid('param').name)
      setEtag(c, alert.version)
      return c.json(alertToJson(alert))
    })
    .put('/:name', routes.put, params(alertParam, {}), jsonBody(alertBody), async (c) => {
      const draft = alertDraftOf(c.req.valid('json'))
      const { name } = c.req.valid('param')
      const actor = c.get('identity').kind
      const { alert, created } = await alerts.put(name, draft, actor, preconditionOf(c))
      setEtag(c, alert.version)
      return c.json(alertToJson(alert), created ? 201 : 200)
    })
    .delete('/:name', routes.remove, params(alertParam, {}), async (c) => {
      await alerts.remove(c.req.valid('param').name, c.get('identity').kind, preconditionOf(c))
      return c.body(null, 204)
    })

const secondsOrNull = (ns: bigint | null): number | null => (ns === null ? null : epochSeconds(ns))

const eventToJson = (event: AlertEvent) => ({
  id: event.id,
  ...reachedShareToJson(event),
  at: Number(event.at / MS_NS) / 1000,
  state: event.state,
  attempts: event.attempts,
  next_attempt_at: secondsOrNull(event.dueAt),
  reason: event.reason,
  ended_at: secondsOrNull(event.endedAt),
})
