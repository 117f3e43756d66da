import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { AGGREGATOR_SOURCE, API_SOURCE, bundleLambda, type LambdaSource } from '../../lib/bundle-lambda.ts'
import { templateText } from '../../scripts/templates/synthesize.ts'
import { zaelTemplate } from '../../scripts/templates/zael-template.ts'

const ENDPOINT = process.env.AWS_ENDPOINT_URL ?? ''
const NAME = `template-${randomUUID().slice(0, 8)}`
const BUCKET = `zael-${NAME}`

let directory: string

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'zael-e2e-template-'))
  await call('s3', 'PUT', `/${BUCKET}`)
  await Promise.all([upload('api', API_SOURCE), upload('aggregator', AGGREGATOR_SOURCE)])
}, 240_000)

afterAll(async () => {
  await cloudFormation({ Action: 'DeleteStack', StackName: NAME })
  await rm(directory, { recursive: true, force: true })
})

/** Calls a service of the emulator, which reads the service from the credential scope, and checks no signature. */
const call = async (
  service: string,
  method: string,
  path: string,
  body?: RequestInit['body'],
): Promise<string> => {
  const authorization = `AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/${service}/aws4_request, SignedHeaders=host, Signature=0`
  const response = await fetch(`${ENDPOINT}${path}`, {
    method,
    headers: { authorization },
    body: body ?? null,
  })
  const text = await response.text()
  if (!response.ok) throw new Error(`${service}: ${response.status} ${text}`)
  return text
}

const cloudFormation = (parameters: Readonly<Record<string, string>>): Promise<string> =>
  call('cloudformation', 'POST', '/', new URLSearchParams({ ...parameters, Version: '2010-05-15' }))

/** Uploads a function's bundle as a zip file. */
const upload = async (name: string, source: LambdaSource): Promise<void> => {
  const bundle = join(directory, name)
  bundleLambda(source, bundle)
  const zip = join(directory, `${name}.zip`)
  await promisify(execFile)('python3', ['-m', 'zipfile', '-c', zip, ...(await readdir(bundle))], {
    cwd: bundle,
  })
  await call('s3', 'PUT', `/${BUCKET}/${name}.zip`, new Uint8Array(await readFile(zip)))
}

/** The value of an output in CloudFormation's XML. */
const outputIn = (xml: string, key: string): string => {
  const outputs = xml.split('<member>').filter((member) => member.includes(`<OutputKey>${key}</OutputKey>`))
  return /<OutputValue>([^<]+)</.exec(outputs[0] ?? '')?.[1] ?? ''
}

const createStack = async (): Promise<string> => {
  const values = {
    Name: NAME,
    CodeBucket: BUCKET,
    ApiCodeKey: 'api.zip',
    AggregatorCodeKey: 'aggregator.zip',
  }
  const parameters = Object.entries(values).flatMap(([key, value], index) => [
    [`Parameters.member.${index + 1}.ParameterKey`, key],
    [`Parameters.member.${index + 1}.ParameterValue`, value],
  ])
  await cloudFormation({
    Action: 'CreateStack',
    StackName: NAME,
    TemplateBody: templateText(zaelTemplate('local')),
    'Capabilities.member.1': 'CAPABILITY_IAM',
    ...Object.fromEntries(parameters),
  })
  return vi.waitFor(
    async () => {
      const stack = await cloudFormation({ Action: 'DescribeStacks', StackName: NAME })
      expect(stack).toContain('<StackStatus>CREATE_COMPLETE</StackStatus>')
      return stack
    },
    { timeout: 240_000, interval: 1_000 },
  )
}

test('the template deploys a zael without the CDK, from code in a bucket', { timeout: 300_000 }, async () => {
  const stack = await createStack()
  expect(outputIn(stack, 'TableName')).toBe(`ZAEL-${NAME}`)
  const [, api = ''] = /\/\/([^.]+)\./.exec(outputIn(stack, 'ApiUrl')) ?? []
  const secrets = new SecretsManagerClient({})
  const SecretId = outputIn(stack, 'AdminTokenSecretArn')
  const { SecretString: token } = await secrets.send(new GetSecretValueCommand({ SecretId }))

  const ask = async (method: string, path: string, headers: Record<string, string>, body?: unknown) => {
    const response = await fetch(`${ENDPOINT}/_aws/execute-api/${api}/prod/${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    return response.status
  }
  expect(await ask('GET', 'health', {})).toBe(200)
  expect(await ask('POST', 'api/entities', {}, { entity_id: 'ann', name: 'Ann' })).toBe(201)
  const limits = [{ name: 'rpm', limit: 2, per: 'hour' }]
  expect(await ask('PUT', 'api/limits/ann', {}, { limits })).toBe(200)
  const check = () => ask('POST', 'v1/limits/check', { 'x-zael-entity': 'ann' }, {})
  expect([await check(), await check(), await check()]).toEqual([200, 200, 429])
})
