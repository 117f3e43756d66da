import { expect, test } from 'vitest'
import { readCommandLine, UserError } from '../../src/command-line/command-line.ts'

const options = { only: { type: 'string' }, quick: { type: 'boolean', short: 'q', default: false } } as const

test('returns the values of options, with their defaults', () => {
  expect(readCommandLine(['--only', 'http'], { options })?.values).toEqual({ only: 'http', quick: false })
  expect(readCommandLine(['-q'], { options })?.values).toEqual({ quick: true })
})

test.each([['--help'], ['-h'], ['--only', 'http', '--help'], ['--unknown', '-h']])(
  'returns undefined for help, whatever else is given: %s',
  (...args) => {
    expect(readCommandLine(args, { options })).toBeUndefined()
  },
)

test('leaves what follows -- to others', () => {
  const given = readCommandLine(['a', '--', '--help'], { options, allowPositionals: true })
  expect(given?.positionals).toEqual(['a', '--help'])
})

test.each([
  [['--onyl', 'x'], "Unknown option '--onyl'"],
  [['-x'], "Unknown option '-x'"],
  [['--only'], "Option '--only <value>' argument missing"],
  [['--only', '--quick'], "Option '--only' argument is ambiguous"],
  [['--quick=1'], "Option '-q, --quick' does not take an argument"],
  [['x'], "Unexpected argument 'x'"],
])('rejects %j in one line that lists the options', (args, problem) => {
  const read = () => readCommandLine(args, { options })
  expect(read).toThrow(UserError)
  expect(read).toThrow(problem)
  expect(read).toThrow(/^[^\n]*; the options are --help, --only, --quick$/)
})
