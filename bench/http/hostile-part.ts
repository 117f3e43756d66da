import { markdownTable } from '../../verify/markdown.ts'
import { figure } from '../figure.ts'
import type { Part } from '../part.ts'
import { type HostileRow, measureHostile } from './measure-hostile.ts'

/** The effect of a caller with hostile bodies on other callers. */
export const hostilePart: Part = {
  name: 'hostile-bodies',
  title: 'Other callers while one sends hostile bodies, two at a time, to one process',
  async run({ isQuick, onProgress }) {
    const rows = await measureHostile(
      isQuick ? { seconds: 1, rounds: 1 } : { seconds: 3, rounds: 3 },
      onProgress,
    )
    return {
      rows,
      markdown: markdownTable<HostileRow>(
        [
          ['body', ({ name }) => name],
          ['status', ({ status }) => status],
          ['hostile/s', ({ hostilePerSecond }) => figure(hostilePerSecond)],
          ['others’ p50 alone, ms', ({ p50AloneMs }) => figure(p50AloneMs)],
          ['under attack', ({ p50UnderAttackMs }) => figure(p50UnderAttackMs)],
          ['ratio', ({ ratio }) => figure(ratio)],
          ['longest block, ms', ({ longestBlockMs }) => figure(longestBlockMs)],
          ['of it processor time', ({ longestBlockCpuMs }) => cpuText(longestBlockCpuMs)],
        ],
        rows,
      ),
      goals: [
        {
          what: 'others’ p50 under attack: times that alone, worst body',
          value: Math.max(...rows.map(({ ratio }) => ratio)),
          bound: 'at most',
          goal: 3,
        },
        {
          what: 'longest block of the event loop, ms of processor time',
          value: Math.max(...rows.map((row) => row.longestBlockCpuMs ?? row.longestBlockMs)),
          bound: 'at most',
          goal: 50,
        },
      ],
      charts: [],
    }
  },
}

const cpuText = (ms: number | null): string => (ms === null ? '–' : figure(ms))
