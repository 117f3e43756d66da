import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { LOCALSTACK_VERSION } from '../../scripts/localstack/install.ts'

const text = readFileSync(
  fileURLToPath(new URL('../../docker-compose.localstack.yml', import.meta.url)),
  'utf8',
)
const { services, volumes } = parse(text)

test('starts the LocalStack that also runs without Docker, on loopback only', () => {
  expect(services.localstack.image).toBe(
    `localstack/localstack:\${LOCALSTACK_VERSION:-${LOCALSTACK_VERSION}}`,
  )
  expect(services.localstack.ports).toEqual(['127.0.0.1:4566:4566'])
})

test('allows time to pull the image of Lambdas at the start, and to stop them at the end', () => {
  expect(services.localstack).toMatchObject({
    environment: { CFN_PER_RESOURCE_TIMEOUT: '900', LAMBDA_IGNORE_ARCHITECTURE: '1' },
    stop_grace_period: '30s',
  })
})

test('deploys once LocalStack is healthy, from a copy without installed packages', () => {
  expect(services.init).toMatchObject({
    depends_on: { localstack: { condition: 'service_healthy' } },
    environment: { AWS_ENDPOINT_URL: 'http://localhost:4566' },
    restart: 'no',
  })
  const [, , script] = services.init.command
  expect(script).toContain('npm run deploy:local')
  for (const directory of ['node_modules', '.git', '.venv', '.localstack', 'cdk.out']) {
    expect(script).toContain(`--exclude=./${directory} `)
  }
})

test('declares the volumes that it uses', () => {
  const used = [...text.matchAll(/^ {6}- ([a-z]+):\//gm)].map(([, name]) => name)
  expect(used).toEqual(Object.keys(volumes))
})
