import { createServer } from 'node:http'
import { expect, test } from 'vitest'
import {
  deployCommand,
  emulatorEndpoint,
  emulatorEnvironment,
  redeployApi,
  requireEmulator,
  stackName,
} from '../../scripts/deployment.ts'

test('is demo by default', () => {
  expect(stackName()).toEqual({ name: 'demo', stack: 'Zael-demo' })
  expect(stackName(['name=prod'])).toEqual({ name: 'prod', stack: 'Zael-prod' })
})

test.each(['name=a b', 'name=', 'name=1a', `name=${'a'.repeat(65)}`])(
  'rejects %s, which no stack can have',
  (context) => {
    expect(() => stackName([context])).toThrow('the name must be letters, digits and hyphens')
  },
)

test('rejects other context, which would be ignored', () => {
  expect(() => stackName(['flavour=aws'])).toThrow('--context must be name=<name>, once, not flavour=aws')
  expect(() => stackName(['name=a', 'name=b'])).toThrow('--context must be name=<name>, once')
})

test('has the default address unless AWS_ENDPOINT_URL is set', () => {
  expect(emulatorEndpoint({})).toBe('http://localhost:4566')
  expect(emulatorEndpoint({ AWS_ENDPOINT_URL: 'http://localhost:4599/' })).toBe('http://localhost:4599')
})

test('includes AWS_ENDPOINT_URL in the command that deploys to another port', () => {
  expect(deployCommand('http://localhost:4566')).toBe('npm run deploy:local')
  expect(deployCommand('http://localhost:4599')).toBe(
    'AWS_ENDPOINT_URL=http://localhost:4599 npm run deploy:local',
  )
})

test('gets test credentials instead of those of the machine, and both addresses', () => {
  const env = emulatorEnvironment('http://localhost:4566', {
    PATH: '/bin',
    AWS_PROFILE: 'production',
    AWS_SESSION_TOKEN: 'real',
    AWS_ACCESS_KEY_ID: 'AKIAREAL',
    AWS_REGION: 'eu-west-1',
  })
  expect(env).toMatchObject({
    PATH: '/bin',
    AWS_ENDPOINT_URL: 'http://localhost:4566',
    AWS_ENDPOINT_URL_S3: 'http://localhost:4566',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_REGION: 'eu-west-1',
  })
  expect(Object.keys(env)).not.toEqual(expect.arrayContaining(['AWS_PROFILE']))
  expect(Object.keys(env)).not.toEqual(expect.arrayContaining(['AWS_SESSION_TOKEN']))
})

test('is required: the error explains how to start one', async () => {
  await expect(requireEmulator('http://127.0.0.1:9')).rejects.toThrow(
    /no AWS emulator at http:\/\/127\.0\.0\.1:9: nothing listens on it.*docker-compose\.localstack\.yml.*npm run localstack.*npm run ministack/s,
  )
})

test('is not confused with another server', async () => {
  const server = createServer((_, response) => response.writeHead(404).end()).listen(0, '127.0.0.1')
  try {
    await new Promise((listening) => server.once('listening', listening))
    const address = server.address()
    const port = address !== null && typeof address === 'object' ? address.port : 0
    await expect(requireEmulator(`http://127.0.0.1:${port}`)).rejects.toThrow('not an emulator (404)')
  } finally {
    server.close()
  }
})

test('deploys an API to its stage as it is defined now', async () => {
  const requests: unknown[] = []
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += String(chunk)
    requests.push([request.method, request.url, JSON.parse(body)])
    response.writeHead(request.url?.includes('gone') ? 404 : 201).end('{}')
  }).listen(0, '127.0.0.1')
  try {
    await new Promise((listening) => server.once('listening', listening))
    const address = server.address()
    const endpoint = `http://127.0.0.1:${address !== null && typeof address === 'object' ? address.port : 0}`
    await redeployApi(endpoint, `${endpoint}/_aws/execute-api/abc123/prod/`)
    expect(requests).toEqual([['POST', '/restapis/abc123/deployments', { stageName: 'prod' }]])
    await expect(redeployApi(endpoint, `${endpoint}/_aws/execute-api/gone/prod/`)).rejects.toThrow('(404)')
    await expect(redeployApi(endpoint, 'https://abc.example/prod/')).rejects.toThrow('ApiUrl must end in')
  } finally {
    server.close()
  }
})
