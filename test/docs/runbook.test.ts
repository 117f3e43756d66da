import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const ROOT = new URL('../../', import.meta.url)
const read = (path: string): string => readFileSync(new URL(path, ROOT), 'utf8')

const runbook = read('docs/runbook.md')

/** The words in backticks in the first column of the tables. */
const documented = new Set(
  runbook
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .flatMap((line) => [...(line.split(' | ')[0] ?? '').matchAll(/`([^`]+)`/g)].map(([, text = '']) => text)),
)

const sources = ['bin', 'lambdas', 'src'].flatMap((folder) =>
  readdirSync(new URL(`${folder}/`, ROOT), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => `${folder}/${name}`),
)

/** Messages of calls such as `logger.warn('…', …)`, with either kind of quote. */
const LOGGED = /[lL]ogger\s*\.(?:debug|info|warn|error)\(\s*(['"])(.+?)\1/g

test('lists every log event of the sources', () => {
  const events = sources.flatMap((path) => [...read(path).matchAll(LOGGED)].map(([, , event = '']) => event))
  expect(events.length).toBeGreaterThan(30)
  expect(events.filter((event) => !documented.has(event))).toEqual([])
})

test('lists every metric', () => {
  const [, union = ''] =
    /export type MetricName =\n((?: {2}\| '\w+'\n)+)/.exec(read('src/core/ports/platform.ts')) ?? []
  const names = [...union.matchAll(/'(\w+)'/g)].map(([, name = '']) => name)
  expect(names.length).toBeGreaterThan(10)
  expect(names.filter((name) => !documented.has(name))).toEqual([])
})

test('lists every alarm', () => {
  const alarms = [...read('lib/zael-alarms.ts').matchAll(/this\.alarm\(\s*'(\w+)'/g)].map(([, id = '']) => id)
  expect(alarms.length).toBeGreaterThan(5)
  expect(alarms.filter((alarm) => !documented.has(alarm))).toEqual([])
})

test('lists no event, metric or alarm that no longer exists', () => {
  const code = [...sources, 'lib/zael-alarms.ts'].map(read).join('\n')
  expect([...documented].filter((name) => !code.includes(name))).toEqual([])
})
