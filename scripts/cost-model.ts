import { STREAM_BATCHES } from '../lib/bundle-lambda.ts'
import { markdownTable } from '../verify/markdown.ts'

/** AWS list prices on demand in us-east-1, in dollars, as of November 2026, without the free tier. */
export const PRICES = {
  /** DynamoDB, per million units of the standard table class. */
  writeUnits: 0.625,
  /** API Gateway, per million requests to a REST API, the first 333 million per month. */
  apiRequests: 3.5,
  /** Lambda, per million invocations. */
  invocations: 0.2,
  /** Lambda on arm64, per GB-second. */
  gigabyteSeconds: 0.000_013_333_4,
  /** CloudWatch Logs, per GB ingested. */
  logGigabytes: 0.5,
  /** A secret in Secrets Manager, per month. */
  secret: 0.4,
  /** A CloudWatch alarm, per month. */
  alarm: 0.1,
} as const

export const ASSUMED = {
  secondsPerMonth: 730 * 3600,
  /** The key's bucket and its parent's, each below 1 KB: a write unit for each write. */
  buckets: 2,
  /** Keys that send requests at any moment. */
  activeKeys: 20,
  lambdaSeconds: 0.05,
  lambdaGigabytes: 0.5,
  /** An access log entry, and Lambda's log lines of an invocation. */
  logBytesPerRequest: 900,
  /** A lease covers a quarter of a second. */
  leasesPerSecond: 4,
  secrets: 2,
  alarms: 8,
} as const

export type Writing = 'exact' | 'leased'

/** Concurrent Lambda instances; each has its own leases. */
const instances = (requestsPerSecond: number): number => Math.ceil(requestsPerSecond * ASSUMED.lambdaSeconds)

/** Write units per second for decisions. A lease is charged only if it serves several requests. */
export const decisionWrites = (requestsPerSecond: number, writing: Writing): number => {
  const exact = requestsPerSecond * ASSUMED.buckets
  if (writing === 'exact') return exact
  const leasesOf = (buckets: number): number =>
    Math.min(requestsPerSecond, buckets * instances(requestsPerSecond) * ASSUMED.leasesPerSecond)
  return leasesOf(ASSUMED.activeKeys) + leasesOf(1)
}

/** Write units per second of the aggregator: the hour of each bucket once per batch. */
const usageWrites = (decisions: number): number =>
  Math.min(decisions, (ASSUMED.activeKeys + 1) / STREAM_BATCHES.windowSeconds)

export interface MonthlyCost {
  readonly requestsPerSecond: number
  readonly writing: Writing
  readonly dynamoDb: number
  readonly lambda: number
  readonly apiGateway: number
  /** Logs, secrets and alarms. */
  readonly other: number
}

/** The monthly cost of one deployment, in dollars, at a constant rate of checks. */
export const monthlyCost = (requestsPerSecond: number, writing: Writing): MonthlyCost => {
  const requests = requestsPerSecond * ASSUMED.secondsPerMonth
  const batches = ASSUMED.secondsPerMonth / STREAM_BATCHES.windowSeconds
  const decisions = decisionWrites(requestsPerSecond, writing)
  const writeUnits = (decisions + usageWrites(decisions)) * ASSUMED.secondsPerMonth
  const invocations = requests + batches
  const gigabyteSeconds = invocations * ASSUMED.lambdaSeconds * ASSUMED.lambdaGigabytes
  return {
    requestsPerSecond,
    writing,
    dynamoDb: (writeUnits * PRICES.writeUnits) / 1e6,
    lambda: (invocations * PRICES.invocations) / 1e6 + gigabyteSeconds * PRICES.gigabyteSeconds,
    apiGateway: (requests * PRICES.apiRequests) / 1e6,
    other:
      (requests * ASSUMED.logBytesPerRequest * PRICES.logGigabytes) / 1e9 +
      ASSUMED.secrets * PRICES.secret +
      ASSUMED.alarms * PRICES.alarm,
  }
}

export const totalOf = ({ dynamoDb, lambda, apiGateway, other }: MonthlyCost): number =>
  dynamoDb + lambda + apiGateway + other

const dollars = (value: number): string => `$${value < 10 ? value.toFixed(2) : Math.round(value)}`

/** The table of docs/cost.md. */
export const costTable = (): string =>
  markdownTable<MonthlyCost>(
    [
      ['requests per second', ({ requestsPerSecond }) => requestsPerSecond],
      ['decisions', ({ writing }) => (writing === 'exact' ? 'exact (`LEASE_TTL_MS=0`)' : 'with leases')],
      ['DynamoDB', ({ dynamoDb }) => dollars(dynamoDb)],
      ['Lambda', ({ lambda }) => dollars(lambda)],
      ['API Gateway', ({ apiGateway }) => dollars(apiGateway)],
      ['logs, secrets, alarms', ({ other }) => dollars(other)],
      ['per month', (cost) => `**${dollars(totalOf(cost))}**`],
    ],
    [1, 10, 100].flatMap((rate) => [monthlyCost(rate, 'exact'), monthlyCost(rate, 'leased')]),
  )
