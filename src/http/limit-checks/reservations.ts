import { Hono } from 'hono'
import type * as v from 'valibot'
import {
  DEFAULT_LIFETIME_SECONDS,
  extendBody,
  extendedResponse,
  releaseBody,
  releasedResponse,
  settleBody,
  settledResponse,
} from '../../contract/checks.ts'
import { openAiErrorResponse } from '../../contract/errors.ts'
import type { ReservationService } from '../../core/admin/reservations.ts'
import type { SettledBy } from '../../core/charge/settle.ts'
import { epochSeconds } from '../../core/model/json.ts'
import type { ActingIdentity, AppEnv } from '../app-dependencies.ts'
import { jsonBody } from '../body/validated.ts'
import { describeOperation, jsonResponse } from '../openapi/described.ts'

/** Settles, releases and extends reservations of any node. */
export const createReservationRoutes = (reservations: ReservationService): Hono<AppEnv> =>
  new Hono<AppEnv>()
    .post(
      '/settle',
      describeEnd('Settle a reservation to the actual usage', settledResponse),
      jsonBody(settleBody),
      async (c) => {
        const { reservation_id, cost } = c.req.valid('json')
        const acting = c.get('acting')
        const { changed, state } = await reservations.end(
          acting.entityId,
          reservation_id,
          cost,
          settledBy(acting),
        )
        return c.json({ reservation_id, settled: changed, state })
      },
    )
    .post(
      '/release',
      describeEnd('Release a reservation', releasedResponse),
      jsonBody(releaseBody),
      async (c) => {
        const { reservation_id } = c.req.valid('json')
        const { changed, state } = await reservations.end(c.get('acting').entityId, reservation_id, null)
        return c.json({ reservation_id, released: changed, state })
      },
    )
    .route('/', createExtendRoute(reservations))

const createExtendRoute = (reservations: ReservationService): Hono<AppEnv> =>
  new Hono<AppEnv>().post(
    '/extend',
    describeReservation({
      summary: 'Extend a reservation',
      description:
        'It then expires `expires_in_seconds` from now, unless it already expires later. A reservation that has ended does not change.',
      response: extendedResponse,
    }),
    jsonBody(extendBody),
    async (c) => {
      const { reservation_id, expires_in_seconds = DEFAULT_LIFETIME_SECONDS } = c.req.valid('json')
      const { entityId } = c.get('acting')
      const extended = await reservations.extend(entityId, reservation_id, expires_in_seconds)
      const { changed, state, expiresAt } = extended
      const open = expiresAt !== undefined && { expires_at: epochSeconds(expiresAt) }
      return c.json({ reservation_id, extended: changed, state, ...open })
    },
  )

/** Settlements of administrators are charged in full; those of callers are bounded by their own limits. */
const settledBy = ({ kind, entityId }: ActingIdentity): SettledBy | undefined =>
  kind === 'admin' ? undefined : { callerId: entityId }

const describeEnd = (summary: string, response: v.GenericSchema) =>
  describeReservation({
    summary,
    description: 'A reservation ends once: a second call, or one after it has expired, changes nothing.',
    response,
  })

const describeReservation = ({
  response,
  ...texts
}: {
  readonly summary: string
  readonly description: string
  readonly response: v.GenericSchema
}) =>
  describeOperation({
    tags: ['Limits'],
    ...texts,
    responses: {
      200: jsonResponse('The state of the reservation', response),
      400: jsonResponse('A field is not valid', openAiErrorResponse),
      404: jsonResponse('You have no such reservation', openAiErrorResponse),
      503: jsonResponse('The store is unavailable', openAiErrorResponse),
    },
  })
