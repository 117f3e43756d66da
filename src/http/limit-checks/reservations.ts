import { Hono } from 'hono'
import type * as v from 'valibot'
import { openAiErrorResponse } from '../../contract/errors.ts'
import {
  DEFAULT_LIFETIME_SECONDS,
  extendBody,
  extendedResponse,
  releaseBody,
  releasedResponse,
  settleBody,
  settledResponse,
} from '../../contract/reservations.ts'
import type { ReservationService } from '../../core/admin/reservations.ts'
import type { SettledBy } from '../../core/charge/settle.ts'
import { epochSeconds } from '../../core/model/json.ts'
import type { ActingIdentity, AppEnv } from '../app-dependencies.ts'
import { jsonBody } from '../body/validated.ts'
import { describeOperation, jsonResponse } from '../openapi/described.ts'

/** Ends reservations and prolongs them, whichever node has made them. */
export const createReservationRoutes = (reservations: ReservationService): Hono<AppEnv> =>
  new Hono<AppEnv>()
    .post(
      '/settle',
      describeEnd('Settle a reservation to what was really used', settledResponse),
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
      describeEnd('Give back what a reservation holds', releasedResponse),
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
      summary: 'Prolong a reservation',
      description:
        'It then expires `expires_in_seconds` from now, unless it expires later already. One that has ended is not changed.',
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

/** Settlements of administrators are charged in full, those of callers as far as their own limits allow. */
const settledBy = ({ kind, entityId }: ActingIdentity): SettledBy | undefined =>
  kind === 'admin' ? undefined : { callerId: entityId }

const describeEnd = (summary: string, response: v.GenericSchema) =>
  describeReservation({
    summary,
    description: 'Once: a second time, or after it has expired, nothing is changed.',
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
      200: jsonResponse('What has become of it', response),
      400: jsonResponse('The request names a field that is not what it must be', openAiErrorResponse),
      404: jsonResponse('You have no such reservation', openAiErrorResponse),
      503: jsonResponse('The store is away', openAiErrorResponse),
    },
  })
