import { expect, test } from 'vitest'
import type { Limit } from '../../dashboard/api/responses.ts'
import { changesOf } from '../../dashboard/limits/limit-changes.tsx'
import { draftOf, limitOf, newDraft } from '../../dashboard/limits/limit-draft.ts'
import { amountIn, given } from '../../dashboard/limits/size-draft.ts'
import type { SizeForm } from '../../dashboard/limits/size-form.tsx'
import { algorithmOptions, registerSizeForm, sizeText } from '../../dashboard/limits/size-forms.ts'
import { createLimitList } from '../../src/contract/limit-list.ts'
import { parseAt } from '../../src/contract/parse.ts'
import { ALGORITHMS } from '../../src/core/model/limit.ts'
import { hourlyFormat } from '../contract/hourly-bucket.ts'

/* The dashboard's part of `test/contract/new-algorithm.test.ts`: the same algorithm, with a form. */

const hourlyForm: SizeForm<{ readonly note: string }> = {
  algorithm: 'hourly_bucket',
  name: 'Hourly bucket',
  initial: { note: 'refills in an hour' },
  valuesOf: () => ({ note: '' }),
  sizeOf: (draft) => given({ limit: amountIn(draft) }),
  replaces: ['limit'],
  textOf: (_, most) => `${most} an hour`,
  details: [['Note', () => 'hourly']],
  Fields: () => {
    throw new Error('is drawn in a browser')
  },
}

const RPH: Limit = {
  name: 'rph',
  meter: 'requests',
  algorithm: 'hourly_bucket',
  capacity: 3,
  limit: 3,
  source: 'entity:_default_',
}

test('every algorithm has a form', () => {
  const names = algorithmOptions().map(([algorithm]) => algorithm)
  expect(names).toEqual(expect.arrayContaining([...ALGORITHMS]))
})

test('a registered algorithm is offered, edited, described and compared', () => {
  registerSizeForm(hourlyForm)
  expect(algorithmOptions()).toContainEqual(['hourly_bucket', 'Hourly bucket'])
  expect(sizeText(RPH)).toBe('3 an hour')
  const after = limitOf({ ...draftOf(RPH, 0), amount: '5' })
  expect(after).toEqual({ name: 'rph', meter: 'requests', algorithm: 'hourly_bucket', limit: 5 })
  expect(changesOf([RPH], [after])).toMatchObject([
    { fields: [{ what: 'Size', before: '3 an hour', after: '5 an hour' }] },
  ])
  const window = limitOf({ ...draftOf(RPH, 0), algorithm: 'fixed_window' })
  expect(changesOf([RPH], [window])).toMatchObject([
    {
      fields: [
        { what: 'Algorithm', before: 'Hourly bucket', after: 'Fixed window' },
        { what: 'Size', before: '3 an hour', after: '3 per day (UTC)' },
        { what: 'Note', before: 'hourly', after: '–' },
      ],
    },
  ])
})

test('the API accepts what its form makes', () => {
  registerSizeForm(hourlyForm)
  const draft = { ...newDraft(0), name: 'rph', algorithm: 'hourly_bucket', amount: '3' }
  expect(parseAt(createLimitList([hourlyFormat]), [limitOf(draft)], 'limits')).toEqual([
    { name: 'rph', meter: 'requests', size: { algorithm: 'hourly_bucket', limit: 3 } },
  ])
})
