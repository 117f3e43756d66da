import { spawnSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { createTestCli, runCli } from './test-cli.ts'

const unused = async (): Promise<Response> => {
  throw new TypeError('there is no server')
}

const complete = async (...words: string[]) => {
  const { code, stdout, stderr } = await runCli(['__complete', '--', ...words], { fetch: unused })
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  return stdout.split('\n').filter((line) => line !== '')
}

const values = async (...words: string[]) => (await complete(...words)).map((line) => line.split('\t')[0])

describe('completion', () => {
  test('offers commands with their summaries', async () => {
    expect(await complete('ent')).toEqual(['entities\tList, show, create, change and delete entities'])
    expect(await values('')).toContain('whoami')
    expect(await values('entities', 's')).toEqual(['show', 'set'])
  })

  test('offers the options of a command, and those of all commands', async () => {
    expect(await values('entities', 'list', '--l')).toEqual(['--limit'])
    expect(await values('entities', 'list', '--')).toEqual(
      expect.arrayContaining(['--search', '--json', '--url']),
    )
    expect(await values('--json', 'entities', 'list', '--se')).toEqual(['--search'])
  })

  test('offers the values of options and arguments, and files where a path is expected', async () => {
    expect(await values('entities', 'set', 'a', '--priority', '')).toEqual(['high', 'normal', 'low'])
    expect(await values('policies', 'show', 'USER')).toEqual(['USER_MODEL', 'USER'])
    expect(await values('limits', 'set', 'a', '--file', '')).toEqual([':files'])
    expect(await values('completion', 'z')).toEqual(['zsh'])
  })

  test('offers nothing where nothing is known, and if there is no server', async () => {
    expect(await complete('policies', 'show', 'USER', '')).toEqual([])
    expect(await complete('entities', 'show', 'a')).toEqual([])
    expect(await complete('entities', 'show', 'a', '')).toEqual([])
    expect(await complete('nonsense', '')).not.toContain('nonsense')
  })

  test('offers the names that the server has', async () => {
    const { zael } = createTestCli()
    for (const id of ['key-a', 'key-b', 'team']) await zael(['entities', 'create', id])
    await zael(['models', 'set', 'org/model'])
    const names = async (...words: string[]) => (await zael(['__complete', '--', ...words])).stdout
    expect(await names('limits', 'set', 'key-')).toBe('key-a\t\nkey-b\t\n')
    expect(await names('models', 'show', '')).toBe('org/model\t\n')
  })
})

describe('the scripts', () => {
  const script = async (shell: string) => (await runCli(['completion', shell], { fetch: unused })).stdout

  /** Runs a script of a shell, with a function in place of the program. */
  const inBash = (text: string) => spawnSync('bash', ['--norc', '-c', text], { encoding: 'utf8' })

  test('of bash passes the words before the cursor, and offers what is printed', async () => {
    const { stdout, stderr } = inBash(`${await script('bash')}
      zael() { printf '%s\\n' "$*" >&2; printf 'entities\\tList\\nexplain\\tShow\\n'; }
      exec 3>&2
      COMP_WORDS=(zael --json e later) COMP_CWORD=2
      _zael
      printf '[%s]' "\${COMPREPLY[@]}"`)
    expect({ stdout, stderr }).toEqual({ stdout: '[entities][explain]', stderr: '' })
  })

  test.each(['bash', 'zsh', 'fish'])('of %s calls the command of completions', async (shell) => {
    expect(await script(shell)).toContain('zael __complete -- ')
  })
})
