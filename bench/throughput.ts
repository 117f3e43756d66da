import { DynamoDBClient, UpdateItemCommand, type UpdateItemCommandInput } from '@aws-sdk/client-dynamodb'
import { systemClock } from '../src/platform/system-clock.ts'
import { median, type Round, runLoops } from './measure.ts'
import { type BenchTable, CREDENTIALS, TABLE } from './table.ts'

export interface ThroughputRow {
  readonly keys: number
  readonly callers: number
  readonly rawPerSecond: number
  /** The write that the limiter sends, sent by the bare SDK. */
  readonly samePerSecond: number
  readonly zaelPerSecond: number
  /** Medians of the ratios of rounds that ran one after the other. */
  readonly ofRaw: number
  readonly ofSame: number
  readonly rawP50Ms: number
  readonly rawP99Ms: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly writesPerDecision: number
  readonly readsPerDecision: number
}

export interface ThroughputOptions {
  /** Of each turn. Short turns, many of them: a shared machine's speed drifts within seconds. */
  readonly seconds: number
  readonly rounds: number
}

const KEYS = [1, 1000]
const CALLERS = [1, 16, 64]
const WARM_UP_CALLERS = 16
const WARM_UP_SECONDS = 4
/** Charged first, so that the bucket stays busy for the whole run. */
const BUSY = 1_000_000
/** Large enough that no decision is denied, slow enough that the bucket is never full again. */
const SIZES = { rpm: [1_000_000_000, 1], tpm: [1_000_000_000, 1] } as const

/** Decisions through the limiter beside raw conditional UpdateItems, in turns, on one engine. */
export const measureThroughput = async (
  table: BenchTable,
  options: ThroughputOptions,
): Promise<readonly ThroughputRow[]> => {
  const raw = createRaw(table.endpoint)
  const most = Math.max(...KEYS)
  for (let key = 0; key < most; key++) await prepare(table, raw, key)
  await warmUp(table, raw, WARM_UP_SECONDS)
  const rows: ThroughputRow[] = []
  for (const keys of KEYS)
    for (const callers of CALLERS) rows.push(await measureOne(table, raw, { keys, callers, ...options }))
  raw.close()
  return rows
}

type Raw = ReturnType<typeof createRaw>

const createRaw = (endpoint: string) => {
  const sdk = new DynamoDBClient({ endpoint, region: 'us-east-1', credentials: CREDENTIALS, maxAttempts: 1 })
  const keyOf = (key: number) => ({ PK: { S: `RAW#${key}` }, SK: { S: 'BUCKET' } })
  return {
    close: () => sdk.destroy(),
    make: (key: number) =>
      sdk.send(
        new UpdateItemCommand({
          TableName: TABLE,
          Key: keyOf(key),
          UpdateExpression: 'SET #n = :n',
          ExpressionAttributeNames: { '#n': 'n' },
          ExpressionAttributeValues: { ':n': { N: '1000' } },
        }),
      ),
    /** A bucket's charge in steady state, with nothing around it. */
    charge: (key: number) => sdk.send(new UpdateItemCommand(sameCharge(key))),
    add: (key: number) =>
      sdk.send(
        new UpdateItemCommand({
          TableName: TABLE,
          Key: keyOf(key),
          UpdateExpression: 'SET #n = #n + :one',
          ConditionExpression: '#n BETWEEN :low AND :high',
          ExpressionAttributeNames: { '#n': 'n' },
          ExpressionAttributeValues: {
            ':one': { N: '1' },
            ':low': { N: '0' },
            ':high': { N: '1000000000000' },
          },
        }),
      ),
  }
}

const decideOn = async (table: BenchTable, key: number, requests = 1): Promise<void> => {
  const cost = { requests, tokens: 10 * requests }
  const request = { entityId: `bench-${key}`, cost, settles: false }
  const decision = await table.limiter.decide(request)
  if (!decision.allowed) throw new Error('the benchmark met a limit')
}

const prepare = async (table: BenchTable, raw: Raw, key: number): Promise<void> => {
  await table.addEntity(`bench-${key}`, SIZES)
  await raw.make(key)
  await decideOn(table, key, BUSY)
}

/** Compiled code is measured: the first seconds of a process say more about the compiler. */
const warmUp = async (table: BenchTable, raw: Raw, seconds: number): Promise<void> => {
  for (const operation of [() => raw.add(0), () => raw.charge(0), () => decideOn(table, 0)]) {
    await runLoops(WARM_UP_CALLERS, seconds, operation)
  }
}

const measureOne = async (
  table: BenchTable,
  raw: Raw,
  { keys, callers, seconds, rounds }: ThroughputOptions & { readonly keys: number; readonly callers: number },
): Promise<ThroughputRow> => {
  const raws: Round[] = []
  const sames: Round[] = []
  const zaels: Round[] = []
  const before = { ...table.calls }
  for (let round = 0; round < rounds; round++) {
    raws.push(await runLoops(callers, seconds, (index) => raw.add(index % keys)))
    sames.push(await runLoops(callers, seconds, (index) => raw.charge(index % keys)))
    zaels.push(await runLoops(callers, seconds, (index) => decideOn(table, index % keys)))
  }
  const decisions = zaels.reduce((sum, { operations }) => sum + operations, 0)
  const of = (all: readonly Round[], figure: (round: Round) => number) => median(all.map(figure))
  return {
    keys,
    callers,
    rawPerSecond: of(raws, ({ perSecond }) => perSecond),
    samePerSecond: of(sames, ({ perSecond }) => perSecond),
    zaelPerSecond: of(zaels, ({ perSecond }) => perSecond),
    ofRaw: median(ratios(zaels, raws)),
    ofSame: median(ratios(zaels, sames)),
    rawP50Ms: of(raws, ({ p50Ms }) => p50Ms),
    rawP99Ms: of(raws, ({ p99Ms }) => p99Ms),
    p50Ms: of(zaels, ({ p50Ms }) => p50Ms),
    p99Ms: of(zaels, ({ p99Ms }) => p99Ms),
    writesPerDecision: (table.calls.writes - before.writes) / decisions,
    readsPerDecision: (table.calls.reads - before.reads) / decisions,
  }
}

const ratios = (rounds: readonly Round[], base: readonly Round[]): readonly number[] =>
  rounds.map(({ perSecond }, round) => perSecond / (base[round]?.perSecond ?? Number.NaN))

const sameCharge = (key: number): UpdateItemCommandInput => {
  const now = systemClock.now()
  const far = now + 10n ** 19n
  const limits = ['rpm', 'tpm'].map(
    (name, index) => [`#${name}`, `${name}_tat`, `:${name}`, `${[1, 10][index]}000000000`] as const,
  )
  return {
    TableName: TABLE,
    Key: { PK: { S: `ENTITY#bench-${key}` }, SK: { S: 'BUCKET#_default_' } },
    ConditionExpression:
      '#rev >= :one AND #rpm_limit = :text AND #rpm BETWEEN :low AND :high AND #tpm_limit = :text AND #tpm BETWEEN :low AND :high',
    UpdateExpression: 'ADD #rev :one, #rpm :rpm, #tpm :tpm, #requests :one, #tokens :ten',
    ExpressionAttributeNames: {
      '#rev': 'rev',
      '#rpm_limit': 'rpm_limit',
      '#tpm_limit': 'tpm_limit',
      '#requests': 'used_requests',
      '#tokens': 'used_tokens',
      ...Object.fromEntries(limits.map(([placeholder, attribute]) => [placeholder, attribute])),
    },
    ExpressionAttributeValues: {
      ':one': { N: '1' },
      ':ten': { N: '10' },
      ':text': { S: 'token_bucket 1000000000 per 1000000000s' },
      ':low': { N: `${now}` },
      ':high': { N: `${far}` },
      ...Object.fromEntries(limits.map(([, , placeholder, price]) => [placeholder, { N: price }])),
    },
    ReturnValues: 'ALL_NEW',
  }
}
