import { Hono } from 'hono'
import type * as v from 'valibot'
import type { SettledBy } from '../../core/deciding/decision.ts'
import type { ReservationService } from '../../core/reserving/reservation-service.ts'
import type { ActingIdentity, AppEnv } from '../app-dependencies.ts'
import { openAiErrorSchema } from '../chat/chat-schema.ts'
import { describe, jsonAnswer } from '../schemas/described.ts'
import { jsonBody } from '../schemas/validated.ts'
import { releaseBody, releasedAnswer, settleBody, settledAnswer } from './check-schema.ts'

/** Ends reservations, whichever node has made them. */
export const createReservationRoutes = (reservations: ReservationService): Hono<AppEnv> =>
  new Hono<AppEnv>()
    .post(
      '/settle',
      describeEnd('Settle a reservation to what was really used', settledAnswer),
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
      describeEnd('Give back what a reservation holds', releasedAnswer),
      jsonBody(releaseBody),
      async (c) => {
        const { reservation_id } = c.req.valid('json')
        const { changed, state } = await reservations.end(c.get('acting').entityId, reservation_id, null)
        return c.json({ reservation_id, released: changed, state })
      },
    )

/** An administrator's word is taken in full, a caller's as far as their own limits go. */
const settledBy = ({ kind, entityId }: ActingIdentity): SettledBy | undefined =>
  kind === 'admin' ? undefined : { callerId: entityId }

const describeEnd = (summary: string, answer: v.GenericSchema) =>
  describe({
    tags: ['Limits'],
    summary,
    description: 'Once: a second time, or after it has expired, nothing is changed.',
    responses: {
      200: jsonAnswer('What has become of it', answer),
      400: jsonAnswer('The request names a field that is not what it must be', openAiErrorSchema),
      404: jsonAnswer('You have no such reservation', openAiErrorSchema),
      503: jsonAnswer('The store is away', openAiErrorSchema),
    },
  })
