import { buffer } from 'node:stream/consumers'
import { startServer } from './loopback-server.ts'

/** A call of DynamoDB, as permissions see it. */
export interface RecordedCall {
  /** `dynamodb:GetItem` */
  readonly action: string
  /** The partition keys that it names. */
  readonly leadingKeys: readonly string[]
}

export interface CallRecorder {
  /** Passes calls on to the engine. */
  readonly endpoint: string
  readonly calls: readonly RecordedCall[]
}

interface KeyJson {
  readonly PK: { readonly S: string }
}

interface CallJson {
  readonly Key?: KeyJson
  readonly Item?: KeyJson
  readonly RequestItems?: Readonly<Record<string, { readonly Keys: readonly KeyJson[] }>>
}

const keysIn = ({ Key, Item, RequestItems = {} }: CallJson): readonly string[] =>
  [Key, Item, ...Object.values(RequestItems).flatMap(({ Keys }) => Keys)].flatMap((key) =>
    key === undefined ? [] : [key.PK.S],
  )

/** Records the calls of a test on their way to an engine. */
export const startCallRecorder = async (engine: string): Promise<CallRecorder> => {
  const calls: RecordedCall[] = []
  const { origin } = await startServer(async (request, response) => {
    const body = await buffer(request)
    const call: CallJson = JSON.parse(body.toString())
    const target = String(request.headers['x-amz-target'])
    calls.push({ action: `dynamodb:${target.split('.')[1]}`, leadingKeys: keysIn(call) })
    const headers = { 'x-amz-target': target, 'content-type': 'application/x-amz-json-1.0' }
    const authorization = request.headers.authorization ?? ''
    const answer = await fetch(engine, {
      method: 'POST',
      headers: { ...headers, authorization, 'x-amz-date': String(request.headers['x-amz-date']) },
      body,
    })
    const type = answer.headers.get('content-type') ?? ''
    response.writeHead(answer.status, { 'content-type': type, date: answer.headers.get('date') ?? '' })
    response.end(Buffer.from(await answer.arrayBuffer()))
  })
  return { endpoint: origin, calls }
}
