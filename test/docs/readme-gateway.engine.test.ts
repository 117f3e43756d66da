import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { startServe } from '../bin/serve-process.ts'
import { startLocalBedrock } from '../support/local-bedrock.ts'

const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')

/** The commands below a heading of the README. */
const commandsOf = (heading: string): readonly string[] => {
  const [, code = ''] = new RegExp(`### ${heading}\n\n\`\`\`sh\n(.*?)\n\`\`\``, 's').exec(readme) ?? []
  return code.split('\n')
}

/** The variables that a line of shell sets. */
const variablesOf = (line: string): Record<string, string> =>
  Object.fromEntries(
    [...line.matchAll(/\b([A-Z_]+)=(\S+)/g)].map(([, name = '', value = '']) => [name, value]),
  )

const CREDENTIALS = { AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE', AWS_SECRET_ACCESS_KEY: 'secret/of+the+tests' }

test("the README's commands for Bedrock and Claude Code lead a stream through a signed request", async () => {
  const [start = '', ...configure] = commandsOf('Put it in front of Bedrock')
  const [address = '', models = '', claude] = commandsOf('Point Claude Code at it')
  expect(start).toMatch(/ npm start /)
  expect(configure).toHaveLength(2)
  expect(claude).toBe('claude')
  const settings = variablesOf(start)
  const bedrock = await startLocalBedrock({
    accessKeyId: CREDENTIALS.AWS_ACCESS_KEY_ID,
    secretAccessKey: CREDENTIALS.AWS_SECRET_ACCESS_KEY,
    region: settings.AWS_REGION ?? '',
    service: 'bedrock',
  })
  onTestFinished(() => bedrock.close())
  const serve = await startServe({ ...settings, ...CREDENTIALS })
  onTestFinished(async () => {
    await serve.end()
  })
  for (const line of configure) {
    const command = line
      .replace('curl', 'curl --silent --show-error --fail-with-body')
      .replace('http://localhost:8080', serve.apiUrl)
      .replace('"kind": "bedrock"', `"kind": "bedrock", "base_url": "${bedrock.origin}"`)
    await promisify(execFile)('sh', ['-c', command])
  }
  const { ANTHROPIC_AUTH_TOKEN: token, ANTHROPIC_MODEL: model } = variablesOf(`${address} ${models}`)
  const call = (path: string, body: object) =>
    fetch(`${serve.apiUrl}${path}`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        'anthropic-version': '2023-06-01',
        'anthropic-beta': 'claude-code-20250219',
      },
      body: JSON.stringify({ model, messages: [{ role: 'user', content: 'Hello' }], ...body }),
    })
  // Claude Code's maximum
  const response = await call('/v1/messages?beta=true', { max_tokens: 32_000, stream: true })
  const text = await response.text()
  expect({ status: response.status, upstream: response.headers.get('x-zael-upstream') }).toEqual({
    status: 200,
    upstream: 'bedrock',
  })
  expect(text).toContain(' Bedrock')
  expect(text).toContain('event: message_stop')
  expect(bedrock.accepted).toMatchObject([
    { path: '/anthropic/v1/messages', body: { model, max_tokens: 32_000, stream: true } },
  ])
  const counted = await call('/v1/messages/count_tokens', {})
  expect(await counted.json()).toEqual({ input_tokens: expect.any(Number) })
  expect(counted.status).toBe(200)
})
