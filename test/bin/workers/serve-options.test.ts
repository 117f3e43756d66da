import { expect, test } from 'vitest'
import { UserError } from '../../../bin/command-line/user-error.ts'
import { readServeOptions } from '../../../bin/workers/serve-options.ts'

test('serves in one process by default', () => {
  expect(readServeOptions([])).toEqual({ workers: 1 })
  expect(readServeOptions(['--workers', '64'])).toEqual({ workers: 64 })
  expect(readServeOptions(['-w', '2'])).toEqual({ workers: 2 })
  expect(readServeOptions(['--help', '--workers', '2'])).toBeUndefined()
})

test.each([
  [['--workers', '0'], '--workers must be a whole number from 1 to 64'],
  [['--workers', '65'], '--workers must be a whole number from 1 to 64'],
  [['--workers=-1'], '--workers must be a whole number from 1 to 64'],
  [['--workers'], "Option '-w, --workers <value>' argument missing; the options are --help, --workers"],
  [['--worker', '2'], "Unknown option '--worker'; the options are --help, --workers"],
])('rejects %j', (args, why) => {
  expect(() => readServeOptions(args)).toThrow(new UserError(why))
})
