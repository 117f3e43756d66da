import {
  CreateTableCommand,
  DeleteTableCommand,
  DynamoDB,
  waitUntilTableExists,
} from '@aws-sdk/client-dynamodb'
import { RateLimiterDynamo } from 'rate-limiter-flexible'
import { countCalls, noCalls } from '../count-calls.ts'
import { type BenchTable, CREDENTIALS } from '../table.ts'
import { type Contender, expectDecision, forEachAtOnce } from './contender.ts'
import { allNames, namesOf, type ScenarioName } from './scenario.ts'

const LARGE = { points: 1_000_000_000, duration: 86_400 }
const SPENT = { points: 1, duration: 86_400 }

/**
 * rate-limiter-flexible's DynamoDB store on its own table, as documented. The table is created in advance, because not
 * every engine supports TTL. Two levels are two limiters, and a decision consumes from both.
 * https://github.com/animir/node-rate-limiter-flexible/wiki/DynamoDB
 */
export const flexibleContender = async (table: BenchTable): Promise<Contender> => ({
  id: 'flexible',
  title: 'rate-limiter-flexible',
  takesPart: () => true,
  ...(await openFlexible(table.endpoint, `${table.tableName}-flexible`)),
})

/** The same with `inMemoryBlockOnConsumed`, which its documentation recommends to avoid paying for denials. */
export const blockingFlexibleContender = async (table: BenchTable): Promise<Contender> => ({
  id: 'blocking',
  title: 'the same, inMemoryBlockOnConsumed',
  takesPart: (scenario) => scenario === 'denied',
  ...(await openFlexible(table.endpoint, `${table.tableName}-blocking`, SPENT.points)),
})

interface Limiters {
  readonly large: RateLimiterDynamo
  readonly spent: RateLimiterDynamo
}

type Opened = Omit<Contender, 'id' | 'title' | 'takesPart'>

const openFlexible = async (endpoint: string, tableName: string, blockOn?: number): Promise<Opened> => {
  const sdk = await createFlexibleTable(endpoint, tableName)
  const calls = noCalls()
  countCalls(sdk, calls)
  const table = { storeClient: sdk, tableName, tableCreated: true, ttlSet: true }
  const inMemory = blockOn === undefined ? {} : { inMemoryBlockOnConsumed: blockOn }
  const limiting = limitingBy({
    large: new RateLimiterDynamo({ ...table, ...LARGE }),
    spent: new RateLimiterDynamo({ ...table, ...SPENT, ...inMemory }),
  })
  return {
    ...limiting,
    calls,
    flush: async () => {},
    takeWrites: () => [],
    async close() {
      await sdk.send(new DeleteTableCommand({ TableName: tableName }))
      sdk.destroy()
    },
  }
}

/** Creates the table; returns the client that did. */
export const createFlexibleTable = async (endpoint: string, tableName: string): Promise<DynamoDB> => {
  const sdk = new DynamoDB({ endpoint, region: 'us-east-1', credentials: CREDENTIALS })
  await sdk.send(
    new CreateTableCommand({
      TableName: tableName,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [{ AttributeName: 'key', AttributeType: 'S' }],
      KeySchema: [{ AttributeName: 'key', KeyType: 'HASH' }],
    }),
  )
  await waitUntilTableExists({ client: sdk, maxWaitTime: 60, minDelay: 1 }, { TableName: tableName })
  return sdk
}

const limitingBy = ({ large, spent }: Limiters): Pick<Contender, 'prepare' | 'decide'> => {
  const consume = (scenario: ScenarioName, name: string): Promise<boolean> =>
    isAllowed((scenario === 'denied' ? spent : large).consume(name))
  return {
    prepare: (scenario, keys) => forEachAtOnce(allNames(scenario, keys), (name) => consume(scenario, name)),
    async decide(scenario, key) {
      const allowed = await Promise.all(namesOf(scenario, key).map((name) => consume(scenario, name)))
      expectDecision(scenario, allowed.every(Boolean))
    },
  }
}

/** It rejects with a state for a denial, and with an error for a failure. */
const isAllowed = async (consuming: Promise<unknown>): Promise<boolean> => {
  try {
    await consuming
    return true
  } catch (denial) {
    if (denial instanceof Error) throw denial
    return false
  }
}
