import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'

/**
 * Operations whose inputs and outputs are the JSON of the protocol as they are. For others the SDK converts times and adds
 * tokens; for these it converts binary values, of which zael stores none.
 */
const PLAIN: ReadonlySet<string> = new Set([
  'UpdateItem',
  'GetItem',
  'BatchGetItem',
  'Query',
  'PutItem',
  'DeleteItem',
])

/** The part of the SDK's protocol that is replaced. */
interface Protocol {
  serializeRequest(operation: Operation, input: object, context: object): Promise<{ body?: unknown }>
  deserializeResponse(operation: Operation, context: Context, response: Response): Promise<object>
}

interface Operation {
  readonly name: string
}

interface Context {
  streamCollector(body: unknown): Promise<Uint8Array>
}

interface Response {
  readonly statusCode: number
  readonly body: unknown
}

const isProtocol = (value: unknown): value is Protocol =>
  typeof value === 'object' && value !== null && 'serializeRequest' in value && 'deserializeResponse' in value

/**
 * Writes and reads the JSON of these operations by `JSON`. The SDK compares each value of an item with the service's schema,
 * which takes a sixth of the CPU time of a write. Everything else, errors included, is left to it.
 */
export const usePlainJson = ({ config }: Pick<DynamoDBClient, 'config'>): void => {
  const protocol: unknown = config.protocol
  if (!isProtocol(protocol)) return
  const serialize = protocol.serializeRequest.bind(protocol)
  const deserialize = protocol.deserializeResponse.bind(protocol)
  const plain: Protocol = {
    async serializeRequest(operation, input, context) {
      if (!PLAIN.has(operation.name)) return serialize(operation, input, context)
      const request = await serialize(operation, {}, context)
      request.body = JSON.stringify(input)
      return request
    },
    async deserializeResponse(operation, context, response) {
      const { statusCode, body } = response
      if (statusCode !== 200 || !PLAIN.has(operation.name)) return deserialize(operation, context, response)
      return { ...objectIn(await context.streamCollector(body)), $metadata: { httpStatusCode: statusCode } }
    },
  }
  Object.assign(protocol, plain)
}

const UTF8 = new TextDecoder()

const objectIn = (bytes: Uint8Array): object => {
  const value: unknown = JSON.parse(UTF8.decode(bytes))
  if (typeof value !== 'object' || value === null) throw new SyntaxError('The response is not a JSON object')
  return value
}
