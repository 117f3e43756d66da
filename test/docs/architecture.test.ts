import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')

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
    ([, folder = '', others = '']) => ({ folder, others: strings(others).map((path) => path.split('/')[0]) }),
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
