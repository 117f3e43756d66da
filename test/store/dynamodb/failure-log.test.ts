import { expect, test } from 'vitest'
import { StoreUnavailable } from '../../../src/core/model/errors.ts'
import { type Logger, silentLogger } from '../../../src/core/ports/platform.ts'
import { createFailureLog } from '../../../src/store/dynamodb/store-error.ts'
import { createManualClock } from './manual-time.ts'

const SECOND = 1_000_000_000n

const ADDRESS = { table: 'nope', region: 'eu-central-1' }

const setUp = () => {
  const lines: unknown[] = []
  const logger: Logger = {
    ...silentLogger,
    warn: (...line) => void lines.push(['warn', ...line]),
    error: (...line) => void lines.push(['error', ...line]),
  }
  const clock = createManualClock(0n)
  const log = createFailureLog(clock, logger)
  const fail = async (isThrottled = false): Promise<void> => {
    const error = new StoreUnavailable('x', { mayHaveApplied: false, isThrottled, reason: 'no such table' })
    log.failed(error, async () => ADDRESS)
    // the address is looked up before the line is written
    await new Promise(setImmediate)
  }
  return { clock, lines, fail }
}

test('logs the first failure, and then at most one a minute with their number', async () => {
  const { clock, lines, fail } = setUp()
  for (let turn = 0; turn < 5; turn++) await fail()
  const fields = { ...ADDRESS, reason: 'no such table' }
  expect(lines).toEqual([['error', 'store unavailable', { ...fields, failures: 1 }]])
  clock.pass(60n * SECOND - 1n)
  await fail()
  expect(lines).toHaveLength(1)
  clock.pass(1n)
  await fail()
  expect(lines[1]).toEqual(['error', 'store unavailable', { ...fields, failures: 6 }])
})

test('warns of throttling apart from it', async () => {
  const { lines, fail } = setUp()
  await fail(true)
  await fail(true)
  await fail()
  const fields = { ...ADDRESS, reason: 'no such table', failures: 1 }
  expect(lines).toEqual([
    ['warn', 'store throttled', fields],
    ['error', 'store unavailable', fields],
  ])
})
