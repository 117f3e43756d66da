import { expect, test } from 'vitest'
import { invalid, shortened } from '../../../src/core/model/errors.ts'

test.each([
  ['a'.repeat(200), 'a'.repeat(200)],
  ['a'.repeat(201), `${'a'.repeat(200)}…`],
  ['🦀'.repeat(101), `${'🦀'.repeat(100)}…`],
  [`a${'🦀'.repeat(101)}`, `a${'🦀'.repeat(99)}…`],
])('an error shortens client input to 200 characters, all of them whole', (text, repeated) => {
  expect(shortened(text)).toBe(repeated)
})

test('an error shortens a long field, in the message and as the field', () => {
  const field = `limits[0].${'k'.repeat(190)}`
  expect(invalid(`${field}k`, 'not be given')).toMatchObject({
    field: `${field}…`,
    message: `${field}… must not be given`,
  })
})
