import {
  type FailureCause,
  UpstreamFailure,
  type UpstreamResponse,
} from '../../../../src/gateway/upstream/exchange.ts'

/** An upstream's response whose body a test sends. */
export interface FakeUpstream extends UpstreamResponse {
  send(chunk: string | Uint8Array): void
  end(): void
  fail(cause: FailureCause): void
  /** Chunks that were sent and not read. */
  unread(): number
  isAwaited(): boolean
  isCancelled(): boolean
}

interface Awaited {
  readonly resolve: (chunk: Uint8Array | undefined) => void
  readonly reject: (failure: UpstreamFailure) => void
}

type Part = Uint8Array | 'end' | UpstreamFailure

export const createFakeUpstream = (): FakeUpstream => {
  const parts: Part[] = []
  let awaited: Awaited | undefined
  let isCancelled = false
  const settle = () => {
    const [part] = parts
    if (awaited === undefined || part === undefined) return
    const { resolve, reject } = awaited
    awaited = undefined
    if (part instanceof UpstreamFailure) return reject(part)
    if (part === 'end') return resolve(undefined)
    parts.shift()
    resolve(part)
  }
  const add = (part: Part) => {
    parts.push(part)
    settle()
  }
  return {
    status: 200,
    headers: { 'content-type': 'text/event-stream' },
    read: () =>
      new Promise((resolve, reject) => {
        if (awaited !== undefined) throw new Error('the body is read twice at once')
        awaited = { resolve, reject }
        settle()
      }),
    cancel() {
      isCancelled = true
    },
    send: (chunk) => add(typeof chunk === 'string' ? Buffer.from(chunk) : chunk),
    end: () => add('end'),
    fail: (cause) => add(new UpstreamFailure(cause, { wasSent: true })),
    unread: () => parts.filter((part) => part instanceof Uint8Array).length,
    isAwaited: () => awaited !== undefined,
    isCancelled: () => isCancelled,
  }
}
