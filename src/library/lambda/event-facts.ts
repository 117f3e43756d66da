import type { Logger } from '../../core/ports/platform.ts'
import type { RequestFacts } from '../requests/costs.ts'
import { at, isFields, isLoadBalancer, resolverEvent, textAt } from './event-fields.ts'

/** Reads of an event only what is used. Nothing throws for an event that lacks a field, or has one of another type. */
class EventFacts<Event> implements RequestFacts<Event> {
  readonly native: Event
  readonly logger: Logger
  #headers: ReadonlyMap<string, string> | undefined

  constructor(event: Event, logger: Logger) {
    this.native = event
    this.logger = logger
  }

  get method(): string {
    const event = resolverEvent(this.native)
    return (
      textAt(event, 'httpMethod') ??
      textAt(event, 'requestContext', 'http', 'method') ??
      textAt(event, 'requestContext', 'eventType') ??
      textAt(event, 'info', 'parentTypeName')?.toUpperCase() ??
      ''
    )
  }

  get path(): string {
    const event = resolverEvent(this.native)
    return (
      textAt(event, 'path') ??
      textAt(event, 'rawPath') ??
      pathOfField(event) ??
      `/${textAt(event, 'requestContext', 'routeKey') ?? ''}`
    )
  }

  /** The path below the stage of an HTTP API, which is in the path only at the API's own domain. */
  get mountedPath(): string {
    const { path, native } = this
    const stage = textAt(native, 'requestContext', 'stage')
    const apiId = textAt(native, 'requestContext', 'apiId')
    const domain = textAt(native, 'requestContext', 'domainName')
    const isOwnDomain = apiId !== undefined && domain?.startsWith(`${apiId}.`) === true
    const isBelowStage = textAt(native, 'rawPath') !== undefined && path.startsWith(`/${stage}/`)
    return isOwnDomain && isBelowStage ? path.slice(`/${stage}`.length) : path
  }

  get connection(): string {
    const event = resolverEvent(this.native)
    const sourceIps = at(event, 'identity', 'sourceIp')
    return (
      textAt(event, 'requestContext', 'http', 'sourceIp') ??
      textAt(event, 'requestContext', 'identity', 'sourceIp') ??
      (Array.isArray(sourceIps) ? connectedIn(sourceIps) : undefined) ??
      (isLoadBalancer(event) ? this.#balancersClient() : undefined) ??
      'unknown'
    )
  }

  /** Bound, because functions of an app take it from the request. */
  get header(): RequestFacts['header'] {
    return (name) => {
      this.#headers ??= headersIn(resolverEvent(this.native))
      return this.#headers.get(name)
    }
  }

  /** A load balancer appends the address of its client to X-Forwarded-For, and passes it nowhere else. */
  #balancersClient(): string | undefined {
    return this.header('x-forwarded-for')?.split(',').at(-1)?.trim() || undefined
  }
}

/** AppSync lists what the client sent as X-Forwarded-For before the address that connects. */
const connectedIn = (sourceIps: readonly unknown[]): string | undefined => {
  const last = sourceIps.at(-1)
  return typeof last === 'string' ? last : undefined
}

/** `/Mutation/createOrder` */
const pathOfField = (event: unknown): string | undefined => {
  const [type, field] = [textAt(event, 'info', 'parentTypeName'), textAt(event, 'info', 'fieldName')]
  return type === undefined || field === undefined ? undefined : `/${type}/${field}`
}

/**
 * All headers by lower-case name. Several values of one name, also in names that differ in case, are joined with commas as HTTP does, so
 * that none hides another.
 */
const headersIn = (event: unknown): ReadonlyMap<string, string> => {
  const found = new Map<string, string>()
  const multiple = entriesAt(event, 'multiValueHeaders').filter(([, values]) => Array.isArray(values))
  const names = new Set(multiple.map(([name]) => name))
  const single = [...entriesAt(event, 'headers'), ...entriesAt(event, 'request', 'headers')]
  for (const [name, value] of [...multiple, ...single.filter(([name]) => !names.has(name))]) {
    const joined = textOf(value, ', ')
    const other = found.get(name.toLowerCase())
    if (joined !== undefined)
      found.set(name.toLowerCase(), other === undefined ? joined : `${other}, ${joined}`)
  }
  // payload format 2.0 has them apart
  const cookies = textOf(at(event, 'cookies'), '; ')
  if (cookies !== undefined) found.set('cookie', cookies)
  return found
}

/** A text, or the texts of a list in one; undefined for any other value. */
const textOf = (value: unknown, separator: string): string | undefined => {
  if (typeof value === 'string') return value
  if (!Array.isArray(value) || value.length === 0) return undefined
  return value.filter((each) => typeof each === 'string').join(separator)
}

const entriesAt = (event: unknown, ...path: readonly string[]): readonly [string, unknown][] => {
  const fields = at(event, ...path)
  return isFields(fields) ? Object.entries(fields) : []
}

/** An event of any kind as a request. */
export const eventFacts = <Event>(event: Event, logger: Logger): RequestFacts<Event> =>
  new EventFacts(event, logger)

/** A message of a queue as a request: its attributes are the headers, the name of the queue is the path. */
export const recordFacts = <Message>(record: Message, logger: Logger): RequestFacts<Message> => ({
  native: record,
  logger,
  method: '',
  path: `/${queueName(record)}`,
  connection: 'unknown',
  header: (name) => attributeOf(record, name),
})

/** The name of the queue of a message; `unknown` if its ARN has none. */
export const queueName = (record: unknown): string =>
  textAt(record, 'eventSourceARN')?.split(':').at(-1) || 'unknown'

const attributeOf = (record: unknown, name: string): string | undefined => {
  for (const [attribute, value] of entriesAt(record, 'messageAttributes')) {
    if (attribute.toLowerCase() === name) return textAt(value, 'stringValue')
  }
  return undefined
}
