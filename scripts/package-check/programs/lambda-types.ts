import { byClaim, byMessageGroup, perRecord, type SqsEvent, withRateLimit } from 'zael/lambda'

const limits = [{ name: 'rpm', limit: 60, per: 'minute' }] as const

interface HttpEvent {
  readonly rawPath: string
}

export const handler = withRateLimit(
  { limits, key: byClaim('sub'), cost: ({ native }) => ({ requests: native.rawPath === '/' ? 1 : 2 }) },
  async (event: HttpEvent) => ({ statusCode: 200, headers: {}, body: event.rawPath, isBase64Encoded: false }),
)

export const status: Promise<number> = handler({ rawPath: '/' }, {}).then(({ statusCode }) => statusCode)

export const queue = withRateLimit(
  { limits, key: byMessageGroup() },
  perRecord(async ({ body }) => body.length),
)

export const returned: Promise<string | undefined> = queue({ Records: [] }, {}).then(
  ({ batchItemFailures: [first] }) => first?.itemIdentifier,
)

export const batch = withRateLimit(
  { limits, cost: ({ native }) => ({ requests: native.body.length }) },
  async ({ Records: [record] }: SqsEvent) => void record,
)

// @ts-expect-error an option that is unknown
withRateLimit({ limits, exmpt: [] }, async () => 1)
