/** Events are JSON that nothing has checked: a field is read only if it is there and has the expected type. */
export type Fields = Readonly<Record<string, unknown>>

export const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The value below `value` at a path of own properties; undefined if there is none. */
export const at = (value: unknown, ...path: readonly string[]): unknown => {
  let here = value
  for (const name of path) here = isFields(here) && Object.hasOwn(here, name) ? here[name] : undefined
  return here
}

/** The text at a path; undefined if there is none, or another value. */
export const textAt = (value: unknown, ...path: readonly string[]): string | undefined => {
  const found = at(value, ...path)
  return typeof found === 'string' ? found : undefined
}

/** What a function was invoked by, as far as responses differ. */
export type EventKind = 'http' | 'sqs' | 'appsync' | 'other'

/** A REST API, HTTP API, WebSocket API, function URL or load balancer is `http`; a batch of an AppSync resolver is `appsync`. */
export const kindOf = (event: unknown): EventKind => {
  if (isSqsEvent(event)) return 'sqs'
  if (textAt(resolverEvent(event), 'info', 'fieldName') !== undefined) return 'appsync'
  return isFields(at(event, 'requestContext')) ? 'http' : 'other'
}

/** The event of an AppSync resolver. All events of a batch are of one field and one caller: the first stands for them. */
export const resolverEvent = (event: unknown): unknown => (Array.isArray(event) ? event[0] : event)

const isSqsEvent = (event: unknown): event is { readonly Records: readonly unknown[] } => {
  const records = at(event, 'Records')
  return Array.isArray(records) && textAt(records[0], 'eventSource') === 'aws:sqs'
}

/** The records of an event of a queue; undefined for any other event. */
export const recordsOf = (event: unknown): readonly unknown[] | undefined =>
  isSqsEvent(event) ? event.Records : undefined

/** Payload format 2.0: HTTP APIs and function URLs. */
export const isFormat2 = (event: unknown): boolean => at(event, 'version') === '2.0'

/** The load balancer in front, which has a format of its own. */
export const isLoadBalancer = (event: unknown): boolean => isFields(at(event, 'requestContext', 'elb'))

/** A load balancer sends all values of a header, and expects the same of responses, if its target group says so. */
export const isMultiValue = (event: unknown): boolean =>
  isLoadBalancer(event) && isFields(at(event, 'multiValueHeaders'))
