import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'

const ROOT = new URL('../../', import.meta.url)

const read = (path: string): string => readFileSync(new URL(path, ROOT), 'utf8')

/** The TypeScript files below a folder. */
const filesIn = (folder: string): readonly string[] =>
  readdirSync(new URL(`${folder}/`, ROOT), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => `${folder}/${name}`)

describe('the glossary', () => {
  const code = filesIn('src')
    .map((path) => `${path}\n${read(path)}`)
    .join('\n')

  const longest = (texts: readonly string[]): string => texts.toSorted((a, b) => b.length - a.length)[0] ?? ''

  /** The names in the column "in code"; of a pattern such as `<limit>_tat` or `ENTITY#<id>` its longest fixed part. */
  const named = read('docs/glossary.md')
    .split('\n')
    .filter((line) => line.startsWith('| ') && !line.startsWith('| term '))
    .flatMap((line) => [...(line.split(' | ')[2] ?? '').matchAll(/`([^`]+)`/g)])
    .map(([, text = '']) => longest(text.split(/<[^>]*>|…/)).replace(/^_/, ''))

  test('every name is in the sources', () => {
    expect(named.length).toBeGreaterThan(50)
    expect(named.filter((name) => !code.includes(name))).toEqual([])
  })
})

describe('the runbook', () => {
  const runbook = read('docs/runbook.md')

  /** The words in backticks in the first column of the tables. */
  const documented = new Set(
    runbook
      .split('\n')
      .filter((line) => line.startsWith('| `'))
      .flatMap((line) =>
        [...(line.split(' | ')[0] ?? '').matchAll(/`([^`]+)`/g)].map(([, text = '']) => text),
      ),
  )

  const sources = ['bin', 'lambdas', 'src'].flatMap(filesIn)

  /** Messages of calls such as `logger.warn('…', …)`, with either kind of quote. */
  const LOGGED = /[lL]ogger\s*\.(?:debug|info|warn|error)\(\s*(['"])(.+?)\1/g

  test('lists every log event of the sources', () => {
    const events = sources.flatMap((path) =>
      [...read(path).matchAll(LOGGED)].map(([, , event = '']) => event),
    )
    expect(events.length).toBeGreaterThan(30)
    expect(events.filter((event) => !documented.has(event))).toEqual([])
  })

  test('lists every metric', () => {
    const [, union = ''] =
      /export type MetricName =\n((?: {2}\| '\w+'\n)+)/.exec(read('src/core/ports/platform.ts')) ?? []
    const names = [...union.matchAll(/'(\w+)'/g)].map(([, name = '']) => name)
    expect(names.length).toBeGreaterThan(10)
    expect(names.filter((name) => !documented.has(name))).toEqual([])
  })

  test('lists every alarm', () => {
    const alarms = [...read('lib/zael-alarms.ts').matchAll(/this\.alarm\(\s*'(\w+)'/g)].map(
      ([, id = '']) => id,
    )
    expect(alarms.length).toBeGreaterThan(5)
    expect(alarms.filter((alarm) => !documented.has(alarm))).toEqual([])
  })

  test('lists no event, metric or alarm that no longer exists', () => {
    const code = [...sources, 'lib/zael-alarms.ts'].map(read).join('\n')
    expect([...documented].filter((name) => !code.includes(name))).toEqual([])
  })
})

describe('the diagrams of the architecture', () => {
  const architecture = read('docs/architecture.md')
  const rules = read('.dependency-cruiser.mjs')

  /** The body of the Mermaid diagram with this comment. */
  const diagram = (comment: string): string =>
    [...architecture.matchAll(/```mermaid\n([\s\S]*?)```/g)]
      .map(([, body = '']) => body)
      .find((body) => body.includes(`%% ${comment}\n`)) ?? ''

  /** The folders in the box `outer`, which are drawn once instead of with an arrow each. */
  const boxed = (body: string): readonly string[] => {
    const [, inner = ''] = /subgraph outer\[.*\]\n([\s\S]*?)\n {2}end/.exec(body) ?? []
    return [...new Set(inner.split(/-->|&|\n/).map((name) => name.trim()))].filter((name) => name !== '')
  }

  /** `a & b --> c` and `a --> b --> c`, as sorted texts `a > c`; an arrow from `outer` begins at every folder in that box. */
  const edgesOf = (body: string): readonly string[] => {
    const names = (text: string): readonly string[] =>
      text.split('&').flatMap((name) => (name.trim() === 'outer' ? boxed(body) : [name.trim()]))
    return body
      .split('\n')
      .filter((line) => line.includes('-->'))
      .flatMap((line) => {
        const groups = line.split('-->').map(names)
        return groups
          .slice(1)
          .flatMap((to, index) =>
            (groups[index] ?? []).flatMap((from) => to.map((target) => `${from} > ${target}`)),
          )
      })
      .toSorted()
  }

  const strings = (text: string): readonly string[] =>
    [...text.matchAll(/'([^']+)'/g)].map(([, name = '']) => name)

  test('the diagram of the folders shows the imports that lint allows', () => {
    const [, body = ''] = /const SRC = \{\n([\s\S]*?)\n\}/.exec(rules) ?? []
    const allowed = [...body.matchAll(/^ {2}'?([\w-]+)'?: \[(.*)\],$/gm)].map(
      ([, folder = '', others = '']) => ({
        folder,
        others: strings(others).map((path) => path.split('/')[0]),
      }),
    )
    const edges = allowed.flatMap(({ folder, others }) => others.map((other) => `${folder} > ${other}`))
    expect(edges.length).toBeGreaterThan(10)
    expect(edgesOf(diagram('the folders of src'))).toEqual(edges.toSorted())
    for (const { folder } of allowed) {
      expect(diagram('the folders of src')).toContain(folder)
      if (folder !== 'core') expect(architecture).toContain(`| \`src/${folder}/\` |`)
    }
  })

  test('the diagram of the core shows its layers in the reverse order of the rules', () => {
    const layers = strings(/const CORE = \[(.*)\]/.exec(rules)?.[1] ?? '')
    expect(layers.length).toBeGreaterThan(5)
    expect(diagram('the layers of src/core')).toContain(layers.toReversed().join(' --> '))
    for (const layer of layers) expect(architecture).toContain(`| \`src/core/${layer}/\` |`)
  })
})
