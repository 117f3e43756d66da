import { markdownTable } from '../../verify/markdown.ts'
import { figure } from '../figure.ts'
import type { Finding, Part } from '../part.ts'
import { measureSearches, type SearchRow } from './measure-searches.ts'

const [ENTITIES, SEARCHERS] = [10_000, 10]

/** The effect of viewers who search on other callers. */
export const searchesPart: Part = {
  name: 'searches',
  title: `Other callers while ${SEARCHERS} viewers search ${ENTITIES} entities at once`,
  async run({ isQuick, onProgress }) {
    const length = isQuick ? { seconds: 2, rounds: 1 } : { seconds: 5, rounds: 3 }
    return searchesFinding(
      await measureSearches({ entities: ENTITIES, searchers: SEARCHERS, ...length }, onProgress),
    )
  },
}

export const searchesFinding = (rows: readonly SearchRow[]): Finding => ({
  rows,
  markdown: markdownTable<SearchRow>(
    [
      ['search', ({ search }) => search],
      ['others’ decisions', ({ decisions }) => decisions],
      ['search pages/s', ({ pagesPerSecond }) => figure(pagesPerSecond)],
      ['others’ p50 alone, ms', ({ p50AloneMs }) => figure(p50AloneMs)],
      ['while they search', ({ p50SearchedMs }) => figure(p50SearchedMs)],
    ],
    rows,
  ),
  goals: [
    {
      what: `others’ p50 while ${SEARCHERS} viewers search, ms, worst row`,
      value: Math.max(...rows.map(({ p50SearchedMs }) => p50SearchedMs)),
      bound: 'at most',
      goal: 50,
    },
  ],
  charts: [],
})
