import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { markdownTable } from '../../verify/markdown.ts'
import { figure } from '../figure.ts'
import type { Finding, Part } from '../part.ts'

export interface MemoryRow {
  readonly keys: number
  readonly seconds: number
  /** After garbage collection. */
  readonly heapMiB: number
  readonly heapBeforeMiB: number
  readonly rssBeforeMiB: number
  readonly rssMiB: number
  /** The peak of the process, including garbage. */
  readonly mostRssMiB: number
}

const SCRIPT = fileURLToPath(new URL('./idle-keys.ts', import.meta.url))

/** The memory of a process after it has decided once for each of a million keys. */
export const memoryPart: Part = {
  name: 'memory',
  title: 'Memory after one decision for each of many keys',
  run: async ({ isQuick }) => findingOf([await measureMemory(isQuick ? 100_000 : 1_000_000)]),
}

export const measureMemory = async (keys: number): Promise<MemoryRow> => {
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--expose-gc',
    '--import',
    'tsx',
    SCRIPT,
    String(keys),
  ])
  return JSON.parse(stdout)
}

const findingOf = (rows: readonly MemoryRow[]): Finding => ({
  rows,
  markdown: markdownTable<MemoryRow>(
    [
      ['keys used once', ({ keys }) => figure(keys)],
      ['heap before, MiB', ({ heapBeforeMiB }) => figure(heapBeforeMiB)],
      ['heap after', ({ heapMiB }) => figure(heapMiB)],
      ['RSS before', ({ rssBeforeMiB }) => figure(rssBeforeMiB)],
      ['RSS after', ({ rssMiB }) => figure(rssMiB)],
      ['peak RSS', ({ mostRssMiB }) => figure(mostRssMiB)],
      ['seconds', ({ seconds }) => figure(seconds)],
    ],
    rows,
  ),
  goals: rows.map(({ rssMiB }) => ({
    what: 'RSS after, MB',
    value: (rssMiB * 2 ** 20) / 1e6,
    bound: 'at most',
    goal: 300,
  })),
  charts: [],
})
