import { describe, expect, test } from 'vitest'
import { createTestCli } from '../test-cli.ts'

const withEntity = async () => {
  const cli = createTestCli()
  await cli.zael(['entities', 'create', 'key-ci'])
  return cli
}

/** What the program prints with `--json`. */
const json = (stdout: string) => JSON.parse(stdout)

describe('zael keys', () => {
  test('create prints a secret once, with which the API can be called', async () => {
    const { zael } = await withEntity()
    const { stdout } = await zael(['keys', 'create', 'key-ci', '--name', 'laptop'])
    const secret = /^secret +(\S+)$/m.exec(stdout)?.[1] ?? ''
    expect((await zael(['whoami', '--token', secret])).stdout).toContain('key-ci')
    const listed = await zael(['keys', 'list', 'key-ci'])
    expect(listed.stdout).toMatch(/^KEY ID +NAME +SECRET +STATUS +EXPIRES +CREATED\n\S+ +laptop +/)
    expect(listed.stdout).not.toContain(secret)
  })

  test.each([
    [['--expires-at', '2027-01-31'], Date.UTC(2027, 0, 31) / 1000],
    [['--expires-at', '2027-01-31T08:00:00+02:00'], Date.UTC(2027, 0, 31, 6) / 1000],
    [['--expires-at', '1800000000'], 1_800_000_000],
    [[], null],
  ])('create with %j expires at %j', async (args, expiresAt) => {
    const { zael } = await withEntity()
    const { stdout } = await zael(['keys', 'create', 'key-ci', ...args, '--json'])
    expect(json(stdout).expires_at).toBe(expiresAt)
  })

  test('create with a duration expires that long after now', async () => {
    const { zael, clock } = await withEntity()
    const { stdout } = await zael(['keys', 'create', 'key-ci', '--expires-in', '90d', '--json'])
    expect(json(stdout).expires_at).toBe(Number(clock.now() / 1_000_000_000n) + 90 * 86_400)
  })

  test('create takes a secret from a file, not from the command line', async () => {
    const { zael } = await withEntity()
    const files = { 'secret.txt': 'a-secret-of-16-characters\n' }
    const { stdout } = await zael(['keys', 'create', 'key-ci', '--secret-file', 'secret.txt', '--json'], {
      files,
    })
    expect(json(stdout).secret).toBe('a-secret-of-16-characters')
  })

  test('rotate replaces a key, and delete revokes it', async () => {
    const { zael } = await withEntity()
    const made = json((await zael(['keys', 'create', 'key-ci', '--json'])).stdout)
    const rotated = json((await zael(['keys', 'rotate', 'key-ci', made.key_id, '--json'])).stdout)
    expect((await zael(['whoami', '--token', made.secret])).code).toBe(3)
    expect((await zael(['whoami', '--token', rotated.secret])).code).toBe(0)
    const asked = await zael(['keys', 'delete', 'key-ci', rotated.key_id], { answer: 'no' })
    expect(asked).toMatchObject({ code: 1, stdout: '' })
    const deleted = await zael(['keys', 'delete', 'key-ci', rotated.key_id, '--yes'])
    expect(deleted).toEqual({ code: 0, stdout: `revoked ${rotated.key_id}\n`, stderr: '' })
    expect((await zael(['whoami', '--token', rotated.secret])).code).toBe(3)
  })

  test.each([
    [['--expires-in', '90'], /It must be like 90d, 12h, 30m or 45s/],
    [['--expires-at', 'tomorrow'], /It must be like 2027-01-31/],
    [['--expires-at', '2027-01-31T08:00:00'], /It must be like 2027-01-31/],
    [['--expires-at', '2027-01-31', '--expires-in', '1d'], /cannot be combined/],
  ])('create with %j exits with 2', async (args, message) => {
    const { zael } = await withEntity()
    const { code, stderr } = await zael(['keys', 'create', 'key-ci', ...args])
    expect(code).toBe(2)
    expect(stderr).toMatch(message)
  })
})
