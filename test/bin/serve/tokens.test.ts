import { expect, test, vi } from 'vitest'
import { serveTokens, type TokenSource, tokensOf } from '../../../bin/serve/tokens.ts'
import type { Tokens } from '../../../src/compose/zael.ts'
import { silentLogger } from '../../../src/core/ports/platform.ts'

const tokensNamed = (name: string): Tokens => ({ adminToken: `${name}-admin`, viewerToken: `${name}-viewer` })

/** Serves tokens that the test changes; `next` is the time of the next reading. */
const serve = async (first: Tokens) => {
  let read: () => Promise<Tokens> = async () => first
  const source: TokenSource = { read: () => read() }
  const due: (() => void)[] = []
  const warn = vi.fn()
  const apis: Tokens[] = []
  const served = await serveTokens({
    tokens: source,
    apiOf(tokens) {
      apis.push(tokens)
      return tokens
    },
    logger: { ...silentLogger, warn },
    wait: () => new Promise<void>((resolve) => due.push(resolve)),
  })
  return {
    ...served,
    warn,
    apis,
    async next(reading: () => Promise<Tokens>) {
      read = reading
      const waits = due.length
      due.at(-1)?.()
      await vi.waitFor(() => expect(due.length).toBe(waits + 1))
    },
  }
}

test('the API of changed tokens replaces the one before, and equal tokens keep it', async () => {
  const { current, next, apis, stop } = await serve(tokensNamed('old'))
  await next(async () => tokensNamed('old'))
  expect(apis).toHaveLength(1)
  await next(async () => tokensNamed('new'))
  expect(current()).toEqual(tokensNamed('new'))
  expect(apis).toHaveLength(2)
  stop()
})

test('tokens that cannot be read leave the last ones valid, with a warning', async () => {
  const { current, next, warn, stop } = await serve(tokensNamed('old'))
  await next(async () => {
    throw new Error('access denied')
  })
  expect(current()).toEqual(tokensNamed('old'))
  expect(warn).toHaveBeenCalledOnce()
  await next(async () => tokensNamed('new'))
  expect(current()).toEqual(tokensNamed('new'))
  stop()
})

test('tokens in the environment need no secret, and every token must have exactly one source', () => {
  const environment = { ADMIN_TOKEN: 'an-admin', VIEWER_TOKEN: 'a-viewer' }
  expect(tokensOf(environment, silentLogger)).toBeUndefined()
  expect(() => tokensOf({}, silentLogger)).toThrow(
    'ADMIN_TOKEN or ADMIN_TOKEN_SECRET_ARN must be set; VIEWER_TOKEN or VIEWER_TOKEN_SECRET_ARN must be set',
  )
  expect(() => tokensOf({ ...environment, VIEWER_TOKEN_SECRET_ARN: 'arn' }, silentLogger)).toThrow(
    'VIEWER_TOKEN or VIEWER_TOKEN_SECRET_ARN must be set, and not both',
  )
})
