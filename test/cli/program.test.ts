import { expect, test } from 'vitest'
import { createTestCli, runCli } from './test-cli.ts'

const unused = async (): Promise<Response> => {
  throw new Error('must not be called here')
}

test.each([[['--help']], [['-h']], [['help']]])('prints its commands: %j', async (args) => {
  const { code, stdout, stderr } = await runCli(args, { fetch: unused })
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toMatch(/^Usage: zael /)
  expect(stdout).toMatch(/\n {2}entities +List, show/)
  expect(stdout).toContain(
    'Exit codes: 0 done, 1 failed, 2 wrong usage, 3 denied, 4 not found, 5 unavailable,\n6 differs (diff), 7 changed meanwhile (apply)',
  )
})

test('prints the options and the examples of a command, and the options of all commands', async () => {
  const { code, stdout } = await runCli(['entities', 'create', '--help'], { fetch: unused })
  expect(code).toBe(0)
  expect(stdout).toMatch(/^Usage: zael entities create \[options\] <entity>\n/)
  expect(stdout).toMatch(/Global Options:[\s\S]*--token-file <path>/)
  expect(await runCli(['help', 'entities', 'create'], { fetch: unused })).toMatchObject({ stdout })
  const { stdout: all } = await runCli(['entities', '--help'], { fetch: unused })
  expect(all).toContain('Examples:\n  zael entities list --search team-\n')
})

test('prints its version', async () => {
  expect(await runCli(['--version'], { fetch: unused })).toEqual({ code: 0, stdout: '1.2.3\n', stderr: '' })
})

test.each([
  [['nonsense'], "zael: unknown command 'nonsense'\n"],
  [['entitis'], "zael: unknown command 'entitis' (Did you mean entities?)\n"],
  [['entities', 'list', '--limt', '1'], "zael: unknown option '--limt' (Did you mean --limit?)\n"],
  [['entities', 'show'], "zael: missing required argument 'entity'\n"],
  [
    ['entities', 'list', '--limit', '0'],
    "zael: option '--limit <count>' argument '0' is invalid. It must be a whole number of at least 1.\n",
  ],
])('exits with 2 and one line for wrong arguments: %j', async (args, stderr) => {
  expect(await runCli(args, { fetch: unused })).toEqual({ code: 2, stdout: '', stderr })
})

test.each([[[]], [['entities']]])('exits with 2 and prints help for a missing command: %j', async (args) => {
  const { code, stdout, stderr } = await runCli(args, { fetch: unused })
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  expect(stderr).toMatch(/^Usage: zael /)
})

test('prints an unexpected error with its stack trace, and exits with 1', async () => {
  const { zael } = createTestCli()
  const { code, stderr } = await zael(['whoami'], {
    fetch: async () =>
      // the Response of @hono/node-server, which other tests may have made the global one, has a getter
      Object.defineProperty(new Response('{}'), 'text', {
        value: () => Promise.reject(new TypeError('defect')),
      }),
  })
  expect(code).toBe(1)
  expect(stderr).toMatch(/^zael: TypeError: defect\n/)
})

test('prints failures as JSON with --json, wherever the option is given', async () => {
  const { zael } = createTestCli()
  for (const args of [
    ['--json', 'entities', 'show', 'nobody'],
    ['entities', 'show', 'nobody', '--json'],
  ]) {
    const { code, stdout, stderr } = await zael(args)
    expect({ code, stdout }).toEqual({ code: 4, stdout: '' })
    expect(JSON.parse(stderr)).toEqual({ error: 'not_found', message: 'There is no entity nobody' })
  }
})
