import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type RunningServer, startServer } from '../../bin/serve/start-server.ts'
import { silentLogger } from '../../src/core/ports/platform.ts'
import { readSettings } from '../../src/settings/read-settings.ts'

let node: RunningServer

beforeAll(async () => {
  node = await startServer({
    settings: readSettings({ PORT: '0', DYNAMODB_PORT: '0', STORE_DEADLINE_MS: '10000' }),
    environment: {},
    version: '0.0.0',
    logger: silentLogger,
    onFailure: (error) => {
      throw error
    },
  })
})
afterAll(() => node.stop())

const text = readFileSync(new URL('../../docs/languages.md', import.meta.url), 'utf8')
const [, example = ''] = /### Without the package\n.*?```python\n(.*?)```/s.exec(text) ?? []

const run = async (tail: string): Promise<unknown> => {
  const code = example.replace('http://localhost:8080', node.apiUrl) + tail
  return JSON.parse((await promisify(execFile)('python3', ['-c', code])).stdout)
}

test('the Python example reserves an estimate and settles the actual use', async () => {
  const again =
    "\nprint(json.dumps(zael('settle', {'reservation_id': decision['reservation_id'], 'cost': {'tokens': 1}})))"
  expect(await run(again)).toMatchObject({ settled: false, state: 'settled' })
})

test('the Python example returns a denial like an allowed decision', async () => {
  const after = "\nprint(json.dumps(zael('check', {'resource': 'gpt-4', 'cost': {'tokens': 999999999}})))"
  expect(await run(after)).toMatchObject({ allowed: false, retry_after_seconds: null })
})
