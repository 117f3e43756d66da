import type { HeaderOf } from '../../web/client.ts'

type Values<V> = Readonly<Record<string, V | undefined>> | null

/** The part of the event of a REQUEST authorizer of a REST API that is read. */
export interface AuthorizerEvent {
  /** `arn:aws:execute-api:<region>:<account>:<api>/<stage>/<method>/<path>` */
  readonly methodArn: string
  readonly httpMethod: string
  /** The path of the resource, `/orders/{id}`. */
  readonly resource: string
  /** The last value of each header, by its name as the client wrote it. */
  readonly headers: Values<string>
  /** All values. */
  readonly multiValueHeaders?: Values<readonly string[]>
}

/**
 * Reads headers as the HTTP API does: names in any case, and the values of a repeated header as one list. So two keys in one
 * header are no key, rather than the last of them.
 */
export const headerOf = ({ headers, multiValueHeaders }: AuthorizerEvent): HeaderOf => {
  const sent = multiValueHeaders ?? headers ?? {}
  const values = new Map<string, string>()
  for (const [name, value = []] of Object.entries(sent)) {
    const before = values.get(name.toLowerCase())
    const own = typeof value === 'string' ? value : value.join(', ')
    values.set(name.toLowerCase(), before === undefined ? own : `${before}, ${own}`)
  }
  return (name) => values.get(name)
}

/** API Gateway accepts at most 8 KB of an authorizer, and the path is the client's. */
const LONGEST_ARN = 2048

/**
 * The method of this request, for a policy. The response is not cached, so it needs to name no other. A path with a `$`, which
 * begins a variable in policies, or of great length, ends in `*` there.
 */
export const methodOf = ({ methodArn }: AuthorizerEvent): string => {
  const variable = methodArn.indexOf('$')
  const end = Math.min(variable === -1 ? methodArn.length : variable, LONGEST_ARN)
  return end === methodArn.length ? methodArn : `${methodArn.slice(0, end)}*`
}
