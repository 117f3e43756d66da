import { describe, expect, test } from 'vitest'
import { type ConnectionOptions, connectionOf } from '../../../cli/api/connection.ts'
import { CliError } from '../../../cli/failure.ts'

interface Given {
  readonly environment?: Readonly<Record<string, string>>
  readonly input?: string
  readonly files?: Readonly<Record<string, string>>
}

async function* parts(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text.slice(0, 3))
  yield Buffer.from(text.slice(3))
}

const connect = (options: ConnectionOptions, { environment = {}, input = '', files = {} }: Given = {}) =>
  connectionOf(
    {
      environment,
      stdin: parts(input),
      readFile: async (path) => files[path] ?? Promise.reject(new Error('ENOENT: no such file')),
    },
    options,
  )

describe('the URL', () => {
  test.each([
    [{}, {}, 'http://localhost:8080'],
    [{}, { ZAEL_URL: '' }, 'http://localhost:8080'],
    [{}, { ZAEL_URL: 'https://zael.example.com/prod/' }, 'https://zael.example.com/prod'],
    [{ url: 'http://[::1]:9000' }, { ZAEL_URL: 'https://zael.example.com' }, 'http://[::1]:9000'],
  ])('of options %j and environment %j is %s', async (options, environment, url) => {
    expect(await connect(options, { environment })).toMatchObject({ url })
  })

  test.each([
    ['localhost:8080', 'must be a URL such as http://localhost:8080'],
    ['ftp://example.com', 'must be a URL such as'],
    ['https://user:secret@example.com', '--url must contain no user name or password'],
    ['https://example.com/?a=1', '--url must contain no query or fragment'],
    ['https://example.com/#a', '--url must contain no query or fragment'],
  ])('%s is rejected', async (url, message) => {
    const failure = connect({ url })
    await expect(failure).rejects.toThrow(CliError)
    await expect(failure).rejects.toThrow(message)
    await expect(failure).rejects.not.toThrow('user:secret')
  })

  test('the error for the environment names its variable', async () => {
    await expect(connect({}, { environment: { ZAEL_URL: 'x' } })).rejects.toThrow('ZAEL_URL must be a URL')
  })
})

describe('the token', () => {
  const REMOTE = { url: 'https://zael.example.com' }

  test.each([
    ['none, for a server elsewhere', REMOTE, {}, undefined],
    ['the public one, for a server on this machine', {}, {}, 'dev-admin'],
    ['of the environment', REMOTE, { environment: { ZAEL_TOKEN: 'from-environment' } }, 'from-environment'],
    [
      'of the option',
      { ...REMOTE, token: 'from-option' },
      { environment: { ZAEL_TOKEN: 'from-environment' } },
      'from-option',
    ],
    [
      'of a file, without its line break',
      { ...REMOTE, tokenFile: 'token.txt' },
      { environment: { ZAEL_TOKEN: 'from-environment' }, files: { 'token.txt': 'from-file\n' } },
      'from-file',
    ],
    ['of stdin', { ...REMOTE, tokenFile: '-' }, { input: 'from-stdin\r\n' }, 'from-stdin'],
  ])('is %s', async (_, options, given, token) => {
    expect((await connect(options, given)).token).toBe(token)
  })

  test.each([
    ['two sources', { token: 'a', tokenFile: 'b' }, {}, '--token and --token-file cannot be combined'],
    ['a missing file', { tokenFile: 'b' }, {}, '--token-file b cannot be read: ENOENT'],
    ['an empty file', { tokenFile: 'b' }, { files: { b: '\n' } }, '--token-file b must contain one token'],
    ['two lines', { tokenFile: '-' }, { input: 'two\nlines' }, '--token-file - must contain one token'],
    ['an endless input', { tokenFile: '-' }, { input: 'x'.repeat(70_000) }, 'must contain one token'],
    [
      'other characters',
      {},
      { environment: { ZAEL_TOKEN: 'a\u0000b' } },
      'ZAEL_TOKEN must contain one token',
    ],
  ])('%s is an error', async (_, options, given, message) => {
    await expect(connect(options, given)).rejects.toThrow(message)
  })

  test('is in no error', async () => {
    const failure = await connect({ token: 'my secret' }).catch(String)
    expect(failure).toContain('--token must contain one token')
    expect(failure).not.toContain('my secret')
  })
})
