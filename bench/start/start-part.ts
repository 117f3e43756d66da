import { markdownTable } from '../../verify/markdown.ts'
import { figure } from '../figure.ts'
import { median } from '../measure.ts'
import type { Finding, Part } from '../part.ts'
import { measureLambdaStarts, measureServerStart, type ServerStart } from './measure-start.ts'

export interface StartRow {
  readonly title: string
  readonly leastMs: number
  readonly medianMs: number
}

/** The time from the command to the first responses, and until a Lambda of the API is ready. */
export const startPart: Part = {
  name: 'start',
  title: 'Start',
  async run({ isQuick, onProgress }): Promise<Finding> {
    const runs = isQuick ? 2 : 9
    onProgress('npm start')
    const changed = await starts(isQuick ? 1 : 3, { isChanged: true })
    const usual = await starts(runs, {})
    onProgress('Lambda')
    const lambda = await measureLambdaStarts(isQuick ? 3 : 15)
    return findingOf([
      rowOf(
        'npm start: /health',
        usual.map(({ healthMs }) => healthMs),
      ),
      rowOf(
        'npm start: a check',
        usual.map(({ checkMs }) => checkMs),
      ),
      rowOf(
        'npm start after a change of the sources: a check',
        changed.map(({ checkMs }) => checkMs),
      ),
      rowOf(
        'Lambda: the handler is loaded',
        lambda.map(({ readyMs }) => readyMs),
      ),
      rowOf(
        'Lambda: the handler is loaded, processor time',
        lambda.map(({ cpuMs }) => cpuMs),
      ),
    ])
  },
}

/** After a bundle that is used only once, the first start may bundle again; it is not counted. */
const starts = async (
  runs: number,
  options: { readonly isChanged?: boolean },
): Promise<readonly ServerStart[]> => {
  if (!options.isChanged) await measureServerStart(options)
  const measured: ServerStart[] = []
  for (let run = 0; run < runs; run++) measured.push(await measureServerStart(options))
  return measured
}

const rowOf = (title: string, ms: readonly number[]): StartRow => ({
  title,
  leastMs: Math.min(...ms),
  medianMs: median(ms),
})

export const findingOf = (rows: readonly StartRow[]): Finding => ({
  rows,
  markdown: markdownTable<StartRow>(
    [
      ['', ({ title }) => title],
      ['least, ms', ({ leastMs }) => figure(leastMs)],
      ['median, ms', ({ medianMs }) => figure(medianMs)],
    ],
    rows,
  ),
  goals: rows.flatMap(({ title, medianMs }) => {
    const goal = GOALS[title]
    return goal === undefined ? [] : [{ what: `${title}, ms`, value: medianMs, bound: 'at most', goal }]
  }),
  charts: [],
})

const GOALS: Readonly<Record<string, number>> = {
  'npm start: a check': 1500,
  'Lambda: the handler is loaded': 100,
}
