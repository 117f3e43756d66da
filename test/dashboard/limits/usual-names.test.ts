import { expect, test } from 'vitest'
import { meterOfName, USUAL_NAMES } from '../../../dashboard/limits/limit-text.ts'
import { meterOfName as meterInCore } from '../../../src/core/model/meter.ts'

/** The page carries no code of the core: what it says of names is held against the core here. */
test.each([...USUAL_NAMES, 'rpq', 'budget', 'toString'])('means by %s what the core means', (name) => {
  expect(meterOfName(name)).toBe(meterInCore(name))
})

test('suggests every name of a meter and a span that the core knows', () => {
  const names = ['r', 't', 'it', 'ot', 'c'].flatMap((meter) =>
    ['s', 'm', 'h', 'd'].map((span) => `${meter}p${span}`),
  )
  expect([...USUAL_NAMES].toSorted()).toEqual(
    names.filter((name) => meterInCore(name) !== undefined).toSorted(),
  )
})
