import { Template } from 'aws-cdk-lib/assertions'
import { expect, test } from 'vitest'
import { AnswersStack } from '../../examples/authorized-api/answers-stack.ts'
import { createApp, idOf, permissionsOf } from '../lib/synthesize.ts'

const template = Template.fromStack(new AnswersStack(createApp(), 'Answers', { tableName: 'ZAEL-prod' }))

test('every method is authorized, and rejected requests have responses', () => {
  template.resourceCountIs('AWS::ApiGateway::Method', 2)
  template.allResourcesProperties('AWS::ApiGateway::Method', {
    AuthorizerId: { Ref: idOf(template, 'AWS::ApiGateway::Authorizer', 'Limits') },
  })
  template.resourceCountIs('AWS::ApiGateway::GatewayResponse', 4)
})

test('only the function that settles can write to the table', () => {
  const tableActions = (prefix: string) =>
    permissionsOf(template, prefix)
      .map(([action]) => action)
      .filter((action) => action.startsWith('dynamodb:'))
  expect(tableActions('answersServiceRole')).toEqual(['dynamodb:UpdateItem', 'dynamodb:GetItem'])
  expect(tableActions('ordersServiceRole')).toEqual([])
  template.hasResourceProperties('AWS::Lambda::Function', {
    Environment: { Variables: { ZAEL_TABLE_NAME: 'ZAEL-prod' } },
  })
})
