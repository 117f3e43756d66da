import { Stack } from 'aws-cdk-lib'
import { Template } from 'aws-cdk-lib/assertions'
import { MockIntegration, RestApi } from 'aws-cdk-lib/aws-apigateway'
import { Code, Function as LambdaFunction, Runtime } from 'aws-cdk-lib/aws-lambda'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ZaelAuthorizer } from '../../lib/zael-authorizer.ts'
import { ZaelTable } from '../../lib/zael-table.ts'
import { policyLimitSet } from '../../src/core/model/limit-set.ts'
import { silentLogger } from '../../src/core/ports/platform.ts'
import { createContextSettler } from '../../src/library/lambda/settle-from-context.ts'
import { TEST_CREDENTIALS } from '../engine/start-dynalite.ts'
import { startTestTable, type TestTable } from '../engine/test-table.ts'
import { authorizedEvent, createCaller, setLimits } from '../support/authorized-requests.ts'
import { type RecordedCall, startCallRecorder } from '../support/recorded-calls.ts'
import { createApp } from './synthesize.ts'

let table: TestTable

beforeAll(async () => {
  table = await startTestTable()
  const rph = { name: 'rph', algorithm: 'sliding_window', limit: 1000, window_seconds: 3600 }
  const slots = { name: 'slots', algorithm: 'concurrency', limit: 2 }
  await setLimits(table, policyLimitSet({ scope: 'GLOBAL', selector: '*' }), [rph])
  await setLimits(table, policyLimitSet({ scope: 'USER', selector: '*' }), [rph, slots])
})

afterAll(() => table.close())

const policiesOf = (template: Template) =>
  Object.entries(template.findResources('AWS::IAM::Policy')).map(([id, { Properties }]) => ({
    id,
    statements: Properties.PolicyDocument.Statement as readonly Statement[],
  }))

interface Statement {
  readonly Action: string | readonly string[]
  readonly Condition?: {
    readonly 'ForAllValues:StringLike': { readonly 'dynamodb:LeadingKeys': readonly string[] | string }
  }
}

/** The statements of the roles of a stack with an authorizer and a function behind it. */
const permissions = () => {
  const stack = new Stack(createApp(), 'Mine')
  const limits = new ZaelAuthorizer(stack, 'Limits', { table: new ZaelTable(stack, 'Table'), settles: true })
  const { authorizer } = limits
  new RestApi(stack, 'Api').root.addMethod('GET', new MockIntegration(), { authorizer })
  const code = Code.fromInline('exports.handler = async () => {}')
  limits.grantSettle(
    new LambdaFunction(stack, 'Orders', { runtime: Runtime.NODEJS_24_X, handler: 'index.handler', code }),
  )
  const policies = policiesOf(Template.fromStack(stack))
  return (prefix: string) => policies.find(({ id }) => id.startsWith(prefix))?.statements ?? []
}

const statementsOf = permissions()

const isAllowed = (statements: readonly Statement[], { action, leadingKeys }: RecordedCall): boolean =>
  statements.some(({ Action, Condition }) => {
    const patterns = Condition && [Condition['ForAllValues:StringLike']['dynamodb:LeadingKeys']].flat()
    const matches = (key: string, pattern: string): boolean =>
      pattern.endsWith('*') ? key.startsWith(pattern.slice(0, -1)) : key === pattern
    const isInside = (key: string): boolean =>
      patterns === undefined || patterns.some((pattern) => matches(key, pattern))
    return [Action].flat().includes(action) && leadingKeys.every(isInside)
  })

const SETTLED = { settles: true, cost: { requests: 1, tokens: 400 } } as const

const settlerAt = (endpoint: string) =>
  createContextSettler({
    ...{ endpoint, tableName: table.tableName, region: 'us-east-1', credentials: TEST_CREDENTIALS },
    ...{ deadlineMs: 10_000, logger: silentLogger },
  })

test('the authorizer makes no call that its role does not allow, and uses every permission on the table', async () => {
  const { endpoint, calls } = await startCallRecorder(table.endpoint)
  const recorded = { ...table, endpoint }
  await createCaller(table, 'ann')
  for (const options of [
    SETTLED,
    { cost: { tokens: 900 } },
    { cost: { tokens: 1001 } },
    { resource: 'gpt-4' },
  ])
    await authorizedEvent(recorded, 'ann', options)
  await expect(authorizedEvent(recorded, 'nobody', {})).rejects.toMatchObject({ code: 'unauthorized' })

  const statements = statementsOf('LimitsHandler')
  expect(calls.filter((call) => !isAllowed(statements, call))).toEqual([])
  const granted = statements
    .flatMap(({ Action }) => Action)
    .filter((action) => action.startsWith('dynamodb:'))
  expect(new Set(calls.map(({ action }) => action))).toEqual(new Set(granted))
})

test('the function behind makes no call that its role does not allow, however it settles', async () => {
  const { endpoint, calls } = await startCallRecorder(table.endpoint)
  await createCaller(table, 'ben')
  for (const tokens of [0, 100, 400, 2000]) {
    const settler = settlerAt(endpoint)
    const event = await authorizedEvent(table, 'ben', { settles: true, cost: { requests: 1, tokens: 1 } })
    await settler.settle(event, { requests: 1, tokens })
    await settler.settle(event, {})
    settler.close()
  }
  await createCaller(table, 'cleo')
  const settler = settlerAt(endpoint)
  await settler.release(await authorizedEvent(table, 'cleo', SETTLED))
  settler.close()

  const statements = statementsOf('OrdersServiceRole')
  expect(calls.filter((call) => !isAllowed(statements, call))).toEqual([])
  expect(calls.length).toBeGreaterThan(10)
  const clock = { action: 'dynamodb:GetItem', leadingKeys: ['CLOCK'] }
  const key = { action: 'dynamodb:GetItem', leadingKeys: ['KEY#0123'] }
  expect([isAllowed(statements, clock), isAllowed(statements, key)]).toEqual([true, false])
})
