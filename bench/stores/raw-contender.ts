import {
  ConditionalCheckFailedException,
  DynamoDBClient,
  UpdateItemCommand,
  type UpdateItemCommandInput,
} from '@aws-sdk/client-dynamodb'
import { countCalls, noCalls } from '../count-calls.ts'
import { type BenchTable, CREDENTIALS } from '../table.ts'
import { type Contender, expectDecision, forEachAtOnce } from './contender.ts'
import { allNames, namesOf, type ScenarioName } from './scenario.ts'

/** The smallest conditional `UpdateItem` that could limit anything: one number, one `BETWEEN`, with the plain SDK. */
export const rawContender = ({ endpoint, tableName }: BenchTable): Contender => {
  const sdk = new DynamoDBClient({ endpoint, region: 'us-east-1', credentials: CREDENTIALS, maxAttempts: 1 })
  const calls = noCalls()
  countCalls(sdk, calls)
  const update = (name: string, expressions: Partial<UpdateItemCommandInput>) =>
    sdk.send(
      new UpdateItemCommand({
        TableName: tableName,
        Key: { PK: { S: `RAW#${name}` }, SK: { S: 'COUNT' } },
        ExpressionAttributeNames: { '#n': 'n' },
        ...expressions,
      }),
    )
  return {
    id: 'raw',
    title: 'raw conditional UpdateItem',
    calls,
    takesPart: () => true,
    prepare: (scenario, keys) =>
      forEachAtOnce(allNames(scenario, keys), (name) =>
        update(name, { UpdateExpression: 'SET #n = :n', ExpressionAttributeValues: startOf(scenario) }),
      ),
    async decide(scenario, key) {
      const outcomes = await Promise.all(
        namesOf(scenario, key).map((name) => isApplied(update(name, ADD_ONE))),
      )
      expectDecision(scenario, outcomes.every(Boolean))
    },
    flush: async () => {},
    takeWrites: () => [],
    close: async () => sdk.destroy(),
  }
}

const startOf = (scenario: ScenarioName) => ({
  ':n': { N: scenario === 'denied' ? '1000000000001' : '1000' },
})

const ADD_ONE = {
  UpdateExpression: 'SET #n = #n + :one',
  ConditionExpression: '#n BETWEEN :low AND :high',
  ExpressionAttributeValues: { ':one': { N: '1' }, ':low': { N: '0' }, ':high': { N: '1000000000000' } },
}

const isApplied = async (write: Promise<unknown>): Promise<boolean> => {
  try {
    await write
    return true
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return false
    throw error
  }
}
