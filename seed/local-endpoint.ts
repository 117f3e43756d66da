const LOCAL_NAMES =
  /^(localhost|.*\.localhost|localhost\.localstack\.cloud|host\.docker\.internal|[a-z0-9-]+)$/
const LOOPBACK_ADDRESS = /^(127(\.\d{1,3}){3}|\[::1\])$/

/**
 * Whether an endpoint is this machine, or a container beside this one (a name without a dot is no name on the
 * internet). Undefined is AWS.
 */
export const isLocalEndpoint = (endpoint: string | undefined): boolean => {
  if (endpoint === undefined || !URL.canParse(endpoint)) return false
  const { hostname } = new URL(endpoint)
  return LOOPBACK_ADDRESS.test(hostname) || LOCAL_NAMES.test(hostname)
}
