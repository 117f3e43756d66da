import { expect, test } from 'vitest'
import { StartError } from '../../../bin/serve/start-error.ts'
import { readServeOptions } from '../../../bin/workers/serve-options.ts'

test('serves in one process unless told', () => {
  expect(readServeOptions([])).toEqual({ workers: 1 })
  expect(readServeOptions(['--workers', '64'])).toEqual({ workers: 64 })
  expect(readServeOptions(['-w', '2'])).toEqual({ workers: 2 })
  expect(readServeOptions(['--help', '--workers', '2'])).toBeUndefined()
})

test.each([
  [['--workers', '0'], '--workers must be a whole number from 1 to 64'],
  [['--workers', '65'], '--workers must be a whole number from 1 to 64'],
  [['--workers=-1'], '--workers must be a whole number from 1 to 64'],
  [['--workers'], "Option '-w, --workers <value>' argument missing"],
  [['--worker', '2'], "Unknown option '--worker'"],
])('refuses %j', (args, why) => {
  expect(() => readServeOptions(args)).toThrow(new StartError(why))
})
