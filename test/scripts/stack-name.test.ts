import { expect, test } from 'vitest'
import { stackName } from '../../scripts/stack-name.ts'

test('is demo by default', () => {
  expect(stackName()).toEqual({ name: 'demo', stack: 'Zael-demo' })
  expect(stackName(['name=prod'])).toEqual({ name: 'prod', stack: 'Zael-prod' })
})

test.each(['name=a b', 'name=', 'name=1a', `name=${'a'.repeat(65)}`])(
  'rejects %s, which no stack can have',
  (context) => {
    expect(() => stackName([context])).toThrow('the name must be letters, digits and hyphens')
  },
)

test('rejects other context, which would be ignored', () => {
  expect(() => stackName(['flavour=aws'])).toThrow('--context must be name=<name>, once, not flavour=aws')
  expect(() => stackName(['name=a', 'name=b'])).toThrow('--context must be name=<name>, once')
})
