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
  /** Fargate on arm64 with Linux, per vCPU and hour. */
  fargateCpuHour: 0.032_38,
  /** The same, per GB and hour. */
  fargateGigabyteHour: 0.003_56,
  /** An Application Load Balancer, per hour. */
  loadBalancerHour: 0.0225,
  /** A capacity unit of it, per hour. */
  capacityUnitHour: 0.008,
  /** A NAT gateway, per hour. */
  natGatewayHour: 0.045,
  /** A public IPv4 address, per hour. */
  addressHour: 0.005,
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
  /** `ZaelService`: its least number of tasks, and the size of each. */
  leastTasks: 2,
  taskCpus: 1,
  taskGigabytes: 2,
  /**
   * Checks per second and task in normal operation. A process serves several times as many (docs/benchmarks.md); autoscaling keeps
   * reserves, and DynamoDB is farther away than an engine on the same machine.
   */
  checksPerTask: 500,
  /** A request and its response, with their headers. */
  bytesPerCheck: 2_000,
  /** Requests that a client sends over one connection. */
  checksPerConnection: 100,
  /** Of the load balancer, in two availability zones, and of the NAT gateway. */
  addresses: 3,
} as const

export type Writing = 'exact' | 'leased'

/** Concurrent Lambda instances; each has its own leases. */
const instances = (requestsPerSecond: number): number => Math.ceil(requestsPerSecond * ASSUMED.lambdaSeconds)

/** Tasks of a service; each runs one process. */
const tasks = (requestsPerSecond: number): number =>
  Math.max(ASSUMED.leastTasks, Math.ceil(requestsPerSecond / ASSUMED.checksPerTask))

/** What serves the API. */
export type Platform = 'lambda' | 'service'

const PROCESSES = { lambda: instances, service: tasks } as const

/** Write units per second for decisions. A lease is charged only if it serves several requests. */
export const decisionWrites = (
  requestsPerSecond: number,
  writing: Writing,
  platform: Platform = 'lambda',
): number => {
  const exact = requestsPerSecond * ASSUMED.buckets
  if (writing === 'exact') return exact
  const processes = PROCESSES[platform](requestsPerSecond)
  const leasesOf = (buckets: number): number =>
    Math.min(requestsPerSecond, buckets * processes * ASSUMED.leasesPerSecond)
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
  return {
    requestsPerSecond,
    writing,
    dynamoDb: writesPerMonth(decisionWrites(requestsPerSecond, writing)),
    lambda: invocationsCost(requests + batchesPerMonth),
    apiGateway: (requests * PRICES.apiRequests) / 1e6,
    other: (requests * ASSUMED.logBytesPerRequest * PRICES.logGigabytes) / 1e9 + secretsAndAlarms,
  }
}

const batchesPerMonth = ASSUMED.secondsPerMonth / STREAM_BATCHES.windowSeconds

const secretsAndAlarms = ASSUMED.secrets * PRICES.secret + ASSUMED.alarms * PRICES.alarm

/** Of decisions, in write units per second, and of the aggregator. */
const writesPerMonth = (decisions: number): number =>
  ((decisions + usageWrites(decisions)) * ASSUMED.secondsPerMonth * PRICES.writeUnits) / 1e6

const invocationsCost = (invocations: number): number => {
  const gigabyteSeconds = invocations * ASSUMED.lambdaSeconds * ASSUMED.lambdaGigabytes
  return (invocations * PRICES.invocations) / 1e6 + gigabyteSeconds * PRICES.gigabyteSeconds
}

export interface ServiceCost {
  readonly requestsPerSecond: number
  readonly tasks: number
  readonly dynamoDb: number
  readonly fargate: number
  readonly loadBalancer: number
  /** A NAT gateway, and public addresses. */
  readonly network: number
  /** The aggregator, secrets and alarms. */
  readonly other: number
}

const HOURS = ASSUMED.secondsPerMonth / 3600

/** The monthly cost of a `ZaelService` with its defaults, in dollars, at a constant rate of checks. */
export const serviceCost = (requestsPerSecond: number, writing: Writing): ServiceCost => {
  const count = tasks(requestsPerSecond)
  const taskHour =
    ASSUMED.taskCpus * PRICES.fargateCpuHour + ASSUMED.taskGigabytes * PRICES.fargateGigabyteHour
  return {
    requestsPerSecond,
    tasks: count,
    dynamoDb: writesPerMonth(decisionWrites(requestsPerSecond, writing, 'service')),
    fargate: count * taskHour * HOURS,
    loadBalancer:
      (PRICES.loadBalancerHour + capacityUnits(requestsPerSecond) * PRICES.capacityUnitHour) * HOURS,
    network: (PRICES.natGatewayHour + ASSUMED.addresses * PRICES.addressHour) * HOURS,
    other: invocationsCost(batchesPerMonth) + secretsAndAlarms,
  }
}

/** A unit is 25 new connections per second, 1 GB per hour, or 1,000 evaluated rules per second; the largest counts. */
const capacityUnits = (requestsPerSecond: number): number =>
  Math.max(
    requestsPerSecond / ASSUMED.checksPerConnection / 25,
    (requestsPerSecond * ASSUMED.bytesPerCheck * 3600) / 1e9,
  )

export const totalOfService = (cost: ServiceCost): number =>
  cost.dynamoDb + cost.fargate + cost.loadBalancer + cost.network + cost.other

/** The least whole rate, in requests per second, from which a service costs less than the API on Lambda. */
export const breakEven = (writing: Writing): number => {
  for (let rate = 1; rate <= 10_000; rate += 1) {
    if (totalOfService(serviceCost(rate, writing)) < totalOf(monthlyCost(rate, writing))) return rate
  }
  throw new Error('a service never costs less')
}

export const totalOf = ({ dynamoDb, lambda, apiGateway, other }: MonthlyCost): number =>
  dynamoDb + lambda + apiGateway + other

const dollars = (value: number): string => `$${value < 10 ? value.toFixed(2) : Math.round(value)}`

const MILLION = 1e6

interface Comparison {
  readonly rate: number
  readonly lambda: number
  readonly service: ServiceCost
}

/** Of `total`, the dollars per million requests at a rate. */
const perMillion = (total: number, rate: number): string =>
  `$${((total * MILLION) / (rate * ASSUMED.secondsPerMonth)).toFixed(2)}`

const writesPerDecision = (rate: number, writing: Writing, platform: Platform): string =>
  (decisionWrites(rate, writing, platform) / rate).toFixed(2)

/** The table of docs/scaling.md: both platforms, with leases. */
export const scalingTable = (): string =>
  markdownTable<Comparison>(
    [
      ['requests per second', ({ rate }) => rate],
      ['Lambda: per month', ({ lambda }) => dollars(lambda)],
      ['per million', ({ lambda, rate }) => perMillion(lambda, rate)],
      ['writes per decision', ({ rate }) => writesPerDecision(rate, 'leased', 'lambda')],
      ['service: tasks', ({ service }) => service.tasks],
      ['per month', ({ service }) => `**${dollars(totalOfService(service))}**`],
      ['per million', ({ service, rate }) => perMillion(totalOfService(service), rate)],
      ['writes per decision', ({ rate }) => writesPerDecision(rate, 'leased', 'service')],
    ],
    [1, 10, 30, 100, 1000, 5000].map((rate) => ({
      rate,
      lambda: totalOf(monthlyCost(rate, 'leased')),
      service: serviceCost(rate, 'leased'),
    })),
  )

/** What a service costs in detail: docs/scaling.md. */
export const serviceTable = (): string =>
  markdownTable<ServiceCost>(
    [
      ['requests per second', ({ requestsPerSecond }) => requestsPerSecond],
      ['DynamoDB', ({ dynamoDb }) => dollars(dynamoDb)],
      ['Fargate', ({ fargate }) => dollars(fargate)],
      ['load balancer', ({ loadBalancer }) => dollars(loadBalancer)],
      ['NAT gateway, addresses', ({ network }) => dollars(network)],
      ['aggregator, secrets, alarms', ({ other }) => dollars(other)],
      ['per month', (cost) => `**${dollars(totalOfService(cost))}**`],
    ],
    [10, 100, 1000].map((rate) => serviceCost(rate, 'leased')),
  )

/** The sentence of docs/scaling.md that states from which rate on a service costs less. */
export const breakEvenText = (): string => {
  const rate = breakEven('leased')
  const requests = (rate * ASSUMED.secondsPerMonth) / MILLION
  return `With these assumptions a service costs less than the API on Lambda from **${rate} requests per second** on, ${Math.round(requests)} million per month; without leases (\`LEASE_TTL_MS=0\`), from ${breakEven('exact')} on.`
}

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
