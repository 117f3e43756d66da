import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'

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
      /`((?:bench|bin|dashboard|docs|examples|lambdas|lib|scripts|seed|src|test|verify)\/[\w./-]*)`/g,
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
