import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { createTestCli } from '../cli/test-cli.ts'

const documented = /```yaml\n# zael\.yaml\n([\s\S]*?)```/.exec(
  readFileSync('docs/declarative.md', 'utf8'),
)?.[1]

test.each([
  ['docs/declarative.md', documented ?? ''],
  ['examples/declarative/zael.yaml', readFileSync('examples/declarative/zael.yaml', 'utf8')],
])('%s is applied to an empty zael, exported and applied again without a change', async (_, text) => {
  const { zael } = createTestCli()
  const files = { 'zael.yaml': text }
  const applied = await zael(['apply', '--yes'], { files })
  expect(applied).toMatchObject({ code: 0, stdout: expect.stringMatching(/\d\d? to create, 0 to change/) })
  expect(await zael(['diff', '--prune'], { files })).toMatchObject({ code: 0, stderr: '' })
  const { stdout: exported } = await zael(['export'])
  expect(await zael(['diff', '--prune', '-f', '-'], { input: exported })).toMatchObject({ code: 0 })
})
