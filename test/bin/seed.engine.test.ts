import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

test('the seed command does not load demo keys into AWS', () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', 'tsx', 'bin/seed.ts'], {
    cwd: ROOT,
    env: { PATH: process.env.PATH },
    encoding: 'utf8',
  })
  expect(stderr).toMatch(/^seed: cannot load demo keys, .+, into AWS .+ or add --allow-demo-keys\n$/)
  expect([status, stdout]).toEqual([1, ''])
})
