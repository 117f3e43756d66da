import { isLoopback } from '../src/http/client/loopback.ts'

/** A container beside this one: no name on the internet is without a dot. */
const CONTAINER_NAMES = /^(localhost\.localstack\.cloud|host\.docker\.internal|[a-z0-9-]+)$/

/** Whether an endpoint is this machine, or a container beside this one. Undefined is AWS. */
export const isLocalEndpoint = (endpoint: string | undefined): boolean => {
  if (endpoint === undefined || !URL.canParse(endpoint)) return false
  const { hostname } = new URL(endpoint)
  return isLoopback(hostname) || CONTAINER_NAMES.test(hostname)
}
