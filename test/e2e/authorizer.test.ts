import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runCommand } from '../../scripts/run-command.ts'
import type { AuthorizerResponse } from '../../src/http/authorizer/authorize.ts'
import { requestEvent } from '../http/authorizer/request-event.ts'
import { type GatewayResponse, rendered } from '../lib/rendered-response.ts'
import { admin, ask, newCaller, output, scanTable } from './deployment.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

const lambda = new LambdaClient({})

let directory: string
/** The outputs of the example's stack. */
let example: { readonly ApiId: string; readonly AuthorizerName: string }

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'zael-e2e-authorizer-'))
  const outputs = join(directory, 'outputs.json')
  const options = ['--output', join(directory, 'cdk.out'), '--outputs-file', outputs]
  const context = ['-c', 'flavour=local', '-c', `table=${output('TableName')}`]
  const app = ['--app', 'node --import tsx examples/authorized-api/app.ts']
  await runCommand(
    'npx',
    ['--no-install', 'cdklocal', 'deploy', ...app, ...context, '--require-approval', 'never', ...options],
    { cwd: ROOT, env: { ...process.env, CDK_VALIDATION: 'false' } },
  )
  example = JSON.parse(await readFile(outputs, 'utf8')).Answers
})

afterAll(async () => {
  lambda.destroy()
  await rm(directory, { recursive: true, force: true })
})

const call = async (method: string, path: string, headers: Record<string, string>, body?: string) => {
  const { origin } = new URL(output('ApiUrl'))
  const url = `${origin}/_aws/execute-api/${example.ApiId}/prod${path}`
  const response = await fetch(url, { method, headers, ...(body !== undefined && { body }) })
  return { status: response.status, headers: response.headers, text: await response.text() }
}

const orders = (key: string) => call('GET', '/orders', { 'x-api-key': key })

/** The deployed response of a type, with variables that the emulator does not replace. */
const gatewayResponse = async (type: string): Promise<GatewayResponse> => {
  const { origin } = new URL(output('ApiUrl'))
  const credential = 'Credential=test/20260101/us-east-1/apigateway/aws4_request'
  const response = await fetch(`${origin}/restapis/${example.ApiId}/gatewayresponses/${type}`, {
    headers: { authorization: `AWS4-HMAC-SHA256 ${credential}, SignedHeaders=host, Signature=0` },
  })
  const found: GatewayResponse = JSON.parse(await response.text())
  return found
}

const authorize = async (key: string): Promise<AuthorizerResponse> => {
  const { Payload } = await lambda.send(
    new InvokeCommand({
      FunctionName: example.AuthorizerName,
      Payload: JSON.stringify(requestEvent({ headers: { 'X-API-Key': key } })),
    }),
  )
  return JSON.parse(Payload?.transformToString() ?? '')
}

test('requests pass until a limit of the table denies them, and are then 429 with the time to wait', async () => {
  const { entityId, key } = await newCaller({ rpm: 3 })
  for (let i = 0; i < 3; i++) {
    const allowed = await orders(key)
    expect([allowed.status, JSON.parse(allowed.text)]).toEqual([200, { customer: entityId, orders: [] }])
  }
  expect(await orders(key)).toMatchObject({
    status: 429,
    text: expect.stringContaining('rate_limit_exceeded'),
  })

  const denied = await authorize(key)
  expect(denied.policyDocument.Statement[0].Effect).toBe('Deny')
  const { status, headers, body } = rendered(await gatewayResponse('ACCESS_DENIED'), denied.context)
  expect([status, body]).toMatchObject([
    429,
    { message: 'Rate limit exceeded for limits: rpm', violations: [{ entity_id: entityId, capacity: 3 }] },
  ])
  expect(Number(headers['Retry-After'])).toBeCloseTo(body.retry_after_seconds, -1)
})

test('the function behind settles what its request reserved', async () => {
  const { entityId, key } = await newCaller({ rpm: 10, tpm: 600 })
  const question = 'x'.repeat(400)
  const answered = await call('POST', '/answers', { authorization: `Bearer ${key}` }, question)
  expect([answered.status, JSON.parse(answered.text)]).toMatchObject([200, { tokens: 100 }])
  expect(answered.headers.get('ratelimit')).toBe('"rpm";r=9, "tpm";r=100')

  const stored = (await scanTable()).filter(({ owner }) => owner?.S === entityId)
  expect(stored).toMatchObject([{ state: { S: 'settled' } }])
  const check = await ask(key, 'POST', '/v1/limits/check', { cost: { tokens: 500 } })
  expect([check.status, check.headers.get('ratelimit')]).toEqual([
    200,
    expect.stringMatching(/^"rpm";r=9, "tpm";r=0/),
  ])
  expect((await call('POST', '/answers', { authorization: `Bearer ${key}` }, question)).status).toBe(429)
})

test('requests without a valid key are 401 in JSON, and charge nothing', async () => {
  const { key } = await newCaller({ rpm: 1 })
  const disabled = await newCaller({ rpm: 1 })
  await admin('PATCH', `/api/entities/${disabled.entityId}`, { disabled: true })
  const rejected = [await call('GET', '/orders', {}), await orders('nobody'), await orders(disabled.key)]
  for (const { status, headers, text } of rejected) {
    expect([status, JSON.parse(text)]).toMatchObject([401, { error: 'unauthorized' }])
    expect(headers.get('www-authenticate')).toContain('Bearer')
  }
  expect((await orders(key)).status).toBe(200)
})
