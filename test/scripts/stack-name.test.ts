import { expect, test } from 'vitest'
import { optionOf, stackName } from '../../scripts/stack-name.ts'

test('is demo unless told, and takes its context out of the arguments', () => {
  expect(stackName([])).toEqual({ name: 'demo', stack: 'Zael-demo', rest: [] })
  const args = ['-c', 'other=1', '--context', 'name=prod', '--force']
  expect(stackName(args)).toEqual({ name: 'prod', stack: 'Zael-prod', rest: ['-c', 'other=1', '--force'] })
})

test('refuses what no stack can be named', () => {
  expect(() => stackName(['-c', 'name=a b'])).toThrow('name must be letters, digits and hyphens')
})

test('finds what follows an option', () => {
  expect(optionOf(['--outputs-file', 'x.json'], '--outputs-file')).toBe('x.json')
  expect(optionOf([], '--outputs-file')).toBeUndefined()
})
