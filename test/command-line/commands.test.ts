import { fileURLToPath } from 'node:url'
import { afterEach, expect, test, vi } from 'vitest'
import packageJson from '../../package.json' with { type: 'json' }

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/**
 * The programs of this repository that package.json runs. An example is to be read, and takes no arguments; `zael` has commands of
 * its own, which test/cli tests.
 */
const commands = Object.entries(packageJson.scripts).flatMap(([script, line]) => {
  const bundled = / scripts\/run-bundled\.mjs (\w+)$/.exec(line)?.[1]
  const source = /(?:^|&& )(?:exec )?node(?: (?:-r|--import) \S+)* (\S+\.ts)$/.exec(line)?.[1]
  const file = bundled === undefined ? source : `bin/${bundled}.ts`
  if (file === undefined || script.startsWith('example:') || script === 'zael') return []
  return [{ file, script, command: script === 'start' ? 'npm start' : `npm run ${script}` }]
})

afterEach(() => vi.restoreAllMocks())

interface Run {
  code: number
  stdout: string
  stderr: string
}

let runs = 0

/** Loads the program as Node would, in this process: a process for each would take a minute. */
const run = async (file: string, args: readonly string[]): Promise<Run> => {
  const result: Run = { code: 0, stdout: '', stderr: '' }
  const append = (stream: 'stdout' | 'stderr', end: string) => (text: unknown) => {
    result[stream] += `${text}${end}`
    return true
  }
  vi.spyOn(console, 'log').mockImplementation(append('stdout', '\n'))
  vi.spyOn(console, 'error').mockImplementation(append('stderr', '\n'))
  vi.spyOn(process.stdout, 'write').mockImplementation(append('stdout', ''))
  vi.spyOn(process.stderr, 'write').mockImplementation(append('stderr', ''))
  vi.spyOn(process, 'exit').mockImplementation((code) => {
    result.code = Number(code)
    throw new Error('exit')
  })
  const { argv, exitCode } = process
  process.argv = [process.execPath, `${ROOT}${file}`, ...args]
  process.exitCode = undefined
  try {
    await import(`${ROOT}${file}?run=${runs++}`)
  } catch (error) {
    if (!(error instanceof Error && error.message === 'exit')) throw error
  } finally {
    result.code ||= Number(process.exitCode ?? 0)
    process.argv = argv
    process.exitCode = exitCode
  }
  return result
}

test('are those of package.json', () => {
  const known = [
    'start',
    'seed',
    'load',
    'deploy:local',
    'destroy',
    'ministack',
    'pictures',
    'measure',
    'test:e2e',
  ]
  const more = ['build', 'check:package', 'bench', 'verify']
  expect(commands.map(({ script }) => script)).toEqual(expect.arrayContaining([...known, ...more]))
})

test.each(commands)('$command --help prints how it is called', async ({ file, command }) => {
  const { code, stdout, stderr } = await run(file, ['--help'])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout.split('\n')[0]).toMatch(new RegExp(`^${command}( |$)`))
})

test.each(commands)('$command rejects an unknown option in one line', async ({ file }) => {
  const { code, stdout, stderr } = await run(file, ['--no-such-option'])
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
  expect(stderr).toMatch(/^\S+: Unknown option '--no-such-option'; the options are --help[^\n]*\n$/)
})

test.each([
  [
    'verify/run.ts',
    ['--only', 'nonsense'],
    /^verify: --only must be one of over-admission, budgets, sizes, simulation, or .*token_bucket/,
  ],
  ['verify/run.ts', ['--only', ''], /^verify: --only must be one of /],
  ['verify/run.ts', ['--nodes', '1.5'], /^verify: --nodes must be a positive whole number\n$/],
  ['verify/run.ts', ['--seed', 'x'], /^verify: --seed must be a whole number\n$/],
  [
    'bench/run.ts',
    ['--only', 'nonsense'],
    /^bench: --only must be one of stores, app, http, .*, not nonsense\n$/,
  ],
  ['bench/run.ts', ['--engine', 'nonsense'], /^bench: --engine must be a URL /],
  [
    'bench/run.ts',
    ['--engine', 'http://127.0.0.1:9'],
    /^bench: --engine http:\S+ cannot be reached: ECONNREFUSED\n$/,
  ],
  ['scripts/destroy.ts', ['-c', 'name=a b'], /^destroy: --context name=a b: the name must be /],
  ['scripts/deploy-local.ts', ['-c', 'flavour=aws'], /^deploy:local: --context must be name=<name>/],
  [
    'bin/load.ts',
    ['-k', 'key', '-n', 'http://127.0.0.1:9'],
    /^load: no node can be reached: http:\S+ \(ECONNREFUSED\);/,
  ],
])('%s %j is rejected in one line', async (file, args, message) => {
  const { code, stdout, stderr } = await run(file, args)
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
  expect(stderr).toMatch(message)
  expect(stderr.split('\n')).toHaveLength(2)
})
