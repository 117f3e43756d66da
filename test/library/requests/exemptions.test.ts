import { describe, expect, test } from 'vitest'
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

// Not every framework normalizes a path before it matches routes.
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

describe('below a mount', () => {
  const below = (path: string, mountedPath: string) => ({ ...request(path), mountedPath })

  test.each([
    ['/api/health', '/health'],
    ['/api/public/a', '/public/a'],
    ['/public/health', '/other'],
  ])('%s is exempt as %s', (path, mountedPath) => {
    expect(isExempt(below(path, mountedPath))).toBe(true)
  })

  test.each([
    ['/api/public/../x', '/public/../x'],
    ['/api/healthz', '/healthz'],
    ['/api/Health', '/Health'],
  ])('%s is not', (path, mountedPath) => {
    expect(isExempt(below(path, mountedPath))).toBe(false)
  })
})

test.each(['/über', '/a b', '/a%20b'])('%s is compared as a URL contains it', (path) => {
  const isCovered = createExemption([path])
  expect(isCovered(request(path))).toBe(true)
  expect(isCovered(request(new URL(path, 'http://any').pathname))).toBe(true)
})

test.each([['/health'], [{}], [[5]], [[['/health']]]])('cannot be %j', (exempt) => {
  expect(() => createExemption(exempt as never)).toThrow(/^exempt(\[0\])? must be a/)
})
