import { expect, test } from 'vitest'
import { Level } from '../../src/embedded/level-on-demand.ts'

test('a database in a directory is one of classic-level, which is loaded with the first', async () => {
  const directory = `${process.env.TMPDIR ?? '/tmp'}/zael-level-on-demand-${process.pid}`
  const level = Reflect.construct(Level, [directory, { valueEncoding: 'json', createIfMissing: false }])
  expect(level.constructor.name).toBe('ClassicLevel')
  await expect(level.open()).rejects.toThrow('Database failed to open')
})
