import { expect, test } from 'vitest'
import { createExemption } from '../../../src/library/requests/exemptions.ts'

const isExempt = createExemption(['/health', '/public/*'])
const request = (path: string) => ({
  method: 'GET',
  path,
  connection: '',
  native: undefined,
  header: () => undefined,
})

test.each(['/health', '/public/', '/public/a/b', '/public/a/../b'])('%s is exempt', (path) => {
  expect(isExempt(request(path))).toBe(true)
})

// As a server may hand them over: not every framework makes a path plain before it looks for a route.
test.each([
  '/public/../api',
  '/public/%2e%2e/api',
  '/public/.%2E/api',
  '/public\\..\\..\\api',
  '/public',
  '/health/',
  '//public/a',
  '',
])('%s is not', (path) => {
  expect(isExempt(request(path))).toBe(false)
})
