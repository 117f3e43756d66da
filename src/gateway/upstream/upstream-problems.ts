import type { ModelProblem } from '../../core/ports/model-backend.ts'
import type { FailureCause } from './exchange.ts'

/** Problems that zael states itself: they name the upstream, and neither its address nor its key. */
export const unavailable = (message: string): ModelProblem => problem(502, message, 'upstream_unavailable')

const timedOut = (message: string): ModelProblem => problem(504, message, 'upstream_timeout')

export const problem = (status: number, message: string, code: string | null): ModelProblem => ({
  status,
  message,
  code,
  type: null,
  param: null,
})

/** Of an exchange that failed; undefined as cause: its credentials could not be read or made. */
export const failureProblem = (upstream: string, cause: FailureCause | undefined): ModelProblem => {
  switch (cause) {
    case undefined:
      return unavailable(`The credentials of the upstream ${upstream} cannot be read`)
    case 'connect':
      return unavailable(`The upstream ${upstream} cannot be reached`)
    case 'connect_timeout':
      return timedOut(`The upstream ${upstream} did not accept a connection in time`)
    case 'first_byte':
      return timedOut(`The upstream ${upstream} did not respond in time`)
    case 'idle':
      return timedOut(`The upstream ${upstream} was silent for too long`)
    case 'total':
      return timedOut(`The response of the upstream ${upstream} took too long`)
    default:
      return unavailable(`The upstream ${upstream} closed the connection before its response was complete`)
  }
}

export const credentialsRejected = (upstream: string): ModelProblem =>
  unavailable(`The upstream ${upstream} rejects the credentials of zael`)

export const missingUpstream = (upstream: string): ModelProblem =>
  unavailable(`The upstream ${upstream} does not exist`)
