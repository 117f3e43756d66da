import { Template } from 'aws-cdk-lib/assertions'
import { expect, test } from 'vitest'
import { ShopStack } from '../../examples/embedded-in-your-stack/shop-stack.ts'
import { createApp, idOf, permissionsOf } from '../lib/synthesize.ts'

const template = Template.fromStack(new ShopStack(createApp(), 'Shop'))

test("contains zael's table, API and aggregator beside an own function", () => {
  template.resourceCountIs('AWS::DynamoDB::Table', 1)
  template.resourceCountIs('AWS::ApiGateway::RestApi', 1)
  template.resourceCountIs('AWS::Lambda::EventSourceMapping', 1)
  template.resourceCountIs('AWS::Lambda::Function', 3)
})

test('the function has the name of the table, and only the permissions to decide', () => {
  const table = idOf(template, 'AWS::DynamoDB::Table', 'Limits')
  template.hasResourceProperties('AWS::Lambda::Function', {
    Environment: { Variables: { LIMITS_TABLE: { Ref: table } } },
  })
  const onTable = JSON.stringify({ 'Fn::GetAtt': [table, 'Arn'] })
  const permissions = permissionsOf(template, 'OrdersServiceRole').filter(
    ([, resource]) => resource === onTable,
  )
  expect(permissions.map(([action]) => action).toSorted()).toEqual([
    'dynamodb:BatchGetItem',
    'dynamodb:GetItem',
    'dynamodb:UpdateItem',
  ])
})
