import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { LOAD_OPTIONS, type LoadOptions, loadOptionsOf } from '../../../bin/load/options.ts'
import { callersAt, peakCallers, shareOf, stages, totalMs } from '../../../bin/load/stages.ts'
import { readCommandLine, UserError } from '../../../src/command-line/command-line.ts'
import { parseText } from '../../../src/settings/text-schemas.ts'

const closing: (() => unknown)[] = []

afterEach(() => {
  for (const close of closing.splice(0).reverse()) close()
})

const read = (line: string): LoadOptions => {
  const given = readCommandLine(line.split(' '), { options: LOAD_OPTIONS })
  if (given === undefined) throw new Error('unexpected help')
  return loadOptionsOf(given.values)
}

const whyNot = (line: string): string => {
  try {
    read(line)
  } catch (error) {
    if (error instanceof UserError) return error.message
    throw error
  }
  return ''
}

const keysFile = (text: string): string => {
  const directory = mkdtempSync(join(tmpdir(), 'zael-load-'))
  closing.push(() => rmSync(directory, { recursive: true }))
  const path = join(directory, 'keys.txt')
  writeFileSync(path, text)
  return path
}

test('the options in the documentation are valid', () => {
  const line =
    '--nodes http://127.0.0.1:8080/ --nodes http://localhost:8081/api,http://[::1]:8082 --api-keys a,b --api-keys c -d 60 -c 64 --delay 0.05 --processes 2 --max-connections 4000 --max-tokens 50 --payload-cache-size 1024'
  expect(read(line)).toEqual({
    nodes: ['http://127.0.0.1:8080', 'http://localhost:8081/api', 'http://[::1]:8082'],
    apiKeys: ['a', 'b', 'c'],
    stages: [{ fromCallers: 64, toCallers: 64, durationMs: 60_000 }],
    delayMs: 50,
    processes: 2,
    maxConnections: 4000,
    timeoutMs: 30_000,
    isCheck: false,
    path: '/v1/chat/completions',
    model: 'gpt-4',
    message: 'Say hello.',
    maxTokens: 50,
    payloadCacheSize: 1024,
    json: false,
  })
})

test('every short option has a long form', () => {
  expect(
    read('--api-keys a --nodes http://127.0.0.1:1 --duration 2m --concurrency 3 --model tiny-model'),
  ).toEqual(read('-k a -n http://127.0.0.1:1 -d 120s -c 3 -m tiny-model'))
  expect(read('--api-keys a --stages 5:1s --processes 2')).toEqual(read('-k a -s 5:1s -p 2'))
})

test('--check selects the check route, and --path any route', () => {
  expect(read('-k a --check')).toMatchObject({ isCheck: true, path: '/v1/limits/check' })
  expect(read('-k a --check --path /other?x=1')).toMatchObject({ isCheck: true, path: '/other?x=1' })
})

test('keys of a file are added to those of the command line, each once', () => {
  const path = keysFile('# of the team\nfirst\r\n\n  second  \nfirst\n')
  expect(read(`-k second,third --api-keys-file ${path}`).apiKeys).toEqual(['second', 'third', 'first'])
})

test('there are no more processes than callers', () => {
  expect(read('-k a -c 3 -p 8').processes).toBe(3)
})

test.each([
  ['-d 60', '--api-keys must name 1 to 100000 keys, directly or in --api-keys-file'],
  ['-k a -d 0', '--duration must be seconds from 0.1 to 86400, or with a unit, such as 500ms, 10s, 2m or 1h'],
  [
    '-k a -d 25h',
    '--duration must be seconds from 0.1 to 86400, or with a unit, such as 500ms, 10s, 2m or 1h',
  ],
  ['-k a -c 20001', '--concurrency must be a whole number from 1 to 20000'],
  ['-k a -c 1.5', '--concurrency must be a whole number from 1 to 20000'],
  [
    '-k a --delay soon',
    '--delay must be seconds from 0 to 3600, or with a unit, such as 500ms, 10s, 2m or 1h',
  ],
  ['-k a -p 65', '--processes must be a whole number from 1 to 64'],
  ['-k a --max-connections 0', '--max-connections must be a whole number from 1 to 20000'],
  [
    '-k a -c 9 -p 2 -n http://127.0.0.1:1,http://127.0.0.1:2 --max-connections 3',
    '--max-connections must be a whole number from 4 to 20000',
  ],
  ['-k a --max-tokens 0', '--max-tokens must be a whole number from 1 to 1000000'],
  ['-k a --payload-cache-size 0', '--payload-cache-size must be a whole number from 1 to 65536'],
  ['-k a -s 5', '--stages must be concurrency:duration pairs such as 5:10s,20:30s, with 0 to 20000 callers'],
  ['-k a -s 5:1s -c 5', '--stages cannot be combined with --duration or --concurrency: it sets both'],
  [
    '-k a -n ftp://127.0.0.1',
    '--nodes must be URLs such as http://127.0.0.1:8080, which "ftp://127.0.0.1" is not',
  ],
  [
    '-k a -n http://127.0.0.1.example.com',
    '--nodes must be on this machine, which 127.0.0.1.example.com is not, unless --allow-remote is given',
  ],
  ['-k a --path v1', '--path must begin with / and have no spaces, such as /v1/chat/completions'],
  ['-k a --api-keys-file /dev/null/keys', /^--api-keys-file cannot be read: ENOTDIR/],
  ['-k a --api-key b', /^Unknown option '--api-key'; the options are --help, --nodes, --api-keys, /],
  ['-k', /^Option '-k, --api-keys <value>' argument missing; the options are /],
  ['-k a b', /^Unexpected argument 'b'/],
])('%s is rejected in one line that names the option', (line, why) => {
  const message = whyNot(line)
  if (typeof why === 'string') expect(message).toBe(why)
  else expect(message).toMatch(why)
  expect(message).not.toContain('\n')
})

test('every loopback name is this machine', () => {
  const nodes = ['http://[::1]:8080', 'http://api.localhost:8080', 'http://127.1.2.3:8080']
  expect(read(`-k a -n ${nodes.join(',')}`).nodes).toEqual(nodes)
})

test('a node that is not on this machine can be loaded if that is allowed', () => {
  expect(read('-k a --allow-remote -n https://api.example.com/prod/').nodes).toEqual([
    'https://api.example.com/prod',
  ])
})

test('bodies that would not fit into memory are rejected', () => {
  const message = 'x'.repeat(100_000)
  expect(whyNot(`-k a --message ${message} --payload-cache-size 65536`)).toMatch(
    /^--payload-cache-size is too large/,
  )
  expect(whyNot(`-k a --message ${message}`)).toBe('')
})

const stagesOf = (text: string) =>
  parseText(stages({ mostCallers: 100, mostStages: 3, longestMs: 60_000 }), text)

test('a ramp goes evenly from one number of callers to the next, and ends', () => {
  const result = stagesOf('10:10s, 20:500ms,0:20')
  const ramp = 'value' in result ? result.value : []
  expect(ramp).toEqual([
    { fromCallers: 0, toCallers: 10, durationMs: 10_000 },
    { fromCallers: 10, toCallers: 20, durationMs: 500 },
    { fromCallers: 20, toCallers: 0, durationMs: 20_000 },
  ])
  expect(totalMs(ramp)).toBe(30_500)
  expect(peakCallers(ramp)).toBe(20)
  const at = [1, 1_000, 1_001, 9_999, 10_250, 10_500, 20_500, 30_499, 30_500, 99_999]
  expect(at.map((ms) => callersAt(ramp, ms))).toEqual([1, 1, 2, 10, 15, 20, 10, 1, 0, 0])
})

test.each([
  ['5:1s,', 'concurrency:duration pairs'],
  ['101:1s', '0 to 100 callers'],
  ['5:0s', 'concurrency:duration pairs'],
  ['-5:1s', 'concurrency:duration pairs'],
  ['1:1s,1:1s,1:1s,1:1s', 'be at most 3 stages'],
  ['1:59s,1:2s', 'last at most 60 seconds together'],
  ['0:1s', 'have a caller'],
])('the ramp %s is rejected', (text, why) => {
  expect(stagesOf(text)).toEqual({ must: expect.stringContaining(why) })
})

test('every caller is assigned to exactly one process', () => {
  for (const processes of [1, 2, 3, 7]) {
    for (let callers = 0; callers < 30; callers++) {
      const shares = Array.from({ length: processes }, (_, index) => shareOf(callers, index, processes))
      expect(shares.reduce((sum, share) => sum + share, 0)).toBe(callers)
      expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(1)
    }
  }
})
