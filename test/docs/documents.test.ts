import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { PASSED_RESPONSE_HEADERS } from '../../src/gateway/upstream/passed-headers.ts'
import { PASSED_REQUEST_HEADERS } from '../../src/http/model-routes/passed-headers.ts'

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

test.each([
  ['to the upstream', [...PASSED_REQUEST_HEADERS]],
  ['to the client', [...PASSED_RESPONSE_HEADERS]],
])('the headers that pass %s are documented', (direction, headers) => {
  const row = read('docs/using-the-api.md')
    .split('\n')
    .find((line) => line.startsWith(`| ${direction} |`))
  const [listed = ''] = row?.split(';') ?? []
  expect([...listed.matchAll(/`([^`]+)`/g)].map(([, name]) => name)).toEqual(headers)
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
    const names = ['platform', 'upstreams'].flatMap((port) => {
      const [, union = ''] =
        /export type \w*MetricName =\n((?: {2}\| '\w+'\n)+)/.exec(read(`src/core/ports/${port}.ts`)) ?? []
      return [...union.matchAll(/'(\w+)'/g)].map(([, name = '']) => name)
    })
    expect(names.length).toBeGreaterThan(15)
    expect(names).toContain('upstream_resting')
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

describe('decisions', () => {
  const FOLDER = new URL('../../docs/decisions/', import.meta.url)
  const read = (name: string): string => readFileSync(new URL(name, FOLDER), 'utf8')

  const records = readdirSync(FOLDER)
    .filter((name) => name !== 'README.md')
    .toSorted()
  const index = read('README.md')

  const titleOf = (name: string): string => /^# \d{3}: (.+)$/m.exec(read(name))?.[1] ?? 'no title'

  describe.each(records)('%s', (name) => {
    test('has the sections of the template, in their order', () => {
      expect(read(name)).toMatch(
        /^# \d{3}: .+\n\n- Status: (accepted|superseded by \d{3})\n- Date: \d{4}-\d\d-\d\d\n\n## Context\n[\s\S]+\n## Decision\n[\s\S]+\n## Consequences\n[\s\S]+\n$/,
      )
    })

    test('begins with the number of its file name', () => {
      expect(read(name).slice(0, 6)).toBe(`# ${name.slice(0, 3)}:`)
    })
  })

  test('the index lists every record under its title, by number', () => {
    const listed = [...index.matchAll(/^\| \[(\d{3})\]\((.+?)\) \| (.+?) \|/gm)].map(([, , file, title]) => [
      file,
      title,
    ])
    expect(listed).toEqual(records.map((name) => [name, titleOf(name)]))
  })
})

describe('references', () => {
  const ROOT = new URL('../../', import.meta.url)
  const read = (path: string): string => readFileSync(new URL(path, ROOT), 'utf8')

  const markdownIn = (folder: string): readonly string[] =>
    readdirSync(new URL(folder, ROOT))
      .filter((name) => name.endsWith('.md'))
      .map((name) => `${folder}${name}`)

  const documents = [
    'README.md',
    'CONTRIBUTING.md',
    'SECURITY.md',
    ...markdownIn('docs/'),
    ...markdownIn('docs/decisions/'),
  ]

  const withoutBlocks = (text: string): string => text.replaceAll(/^```[\s\S]*?^```/gm, '')

  /** Paths in backticks; excludes placeholders such as `<name>` and patterns. */
  const pathsIn = (text: string): readonly string[] =>
    [
      ...withoutBlocks(text).matchAll(
        /`((?:bench|bin|cli|dashboard|docs|examples|lambdas|lib|scripts|seed|src|test|verify)\/[\w./-]*)`/g,
      ),
    ].map(([, path = '']) => path)

  const linksIn = (text: string): readonly string[] =>
    [...withoutBlocks(text).matchAll(/\]\(([^)\s]+)\)|(?:src|srcset)="([^"]+)"/g)]
      .map(([, link, picture]) => link ?? picture ?? '')
      .filter((link) => !/^[a-z]+:/.test(link))

  /** As GitHub forms it: lower case, punctuation dropped, spaces to hyphens. */
  const anchorOf = (heading: string): string =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replaceAll(/\s/g, '-')

  const anchorsIn = (text: string): readonly string[] =>
    [...withoutBlocks(text).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => anchorOf(heading))

  const isBroken = (document: string, link: string): boolean => {
    const [path = '', anchor] = link.split('#')
    const target = path === '' ? new URL(document, ROOT) : new URL(path, new URL(document, ROOT))
    if (!existsSync(target)) return true
    return anchor !== undefined && !anchorsIn(readFileSync(target, 'utf8')).includes(anchor)
  }

  describe.each(documents)('%s', (document) => {
    const text = read(document)

    test('names only paths that exist', () => {
      expect(pathsIn(text).filter((path) => !existsSync(new URL(path, ROOT)))).toEqual([])
    })

    test('links only to files and headings that exist', () => {
      expect(linksIn(text).filter((link) => isBroken(document, link))).toEqual([])
    })
  })
})
