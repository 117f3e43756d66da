import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')

/** The properties of an exported interface, indented by two spaces, as formatted. */
const propsOf = (name: string, source: string): readonly string[] => {
  const [, body = ''] = new RegExp(`export interface ${name} .*?\\{\n(.*?)\n\\}`, 's').exec(source) ?? []
  return [...body.matchAll(/^ {2}readonly (\w+)\??:/gm)].map(([, name = '']) => name)
}

/** The names in the first column of the tables in a construct's section, or of a part of it. */
const documentedOf = (construct: string, document: string): readonly string[] => {
  const section = document.split(/^###? /m).find((text) => text.startsWith(`${construct}\n`)) ?? ''
  const cells = section.split('\n').flatMap((line) => /^\| (`[^|]+) \|/.exec(line)?.[1] ?? [])
  return cells.flatMap((cell) => [...cell.matchAll(/`(\w+)`/g)].map(([, name = '']) => name))
}

test.each([
  ['ZaelStack', 'lib/zael-stack.ts'],
  ['ZaelTable', 'lib/zael-table.ts'],
  ['ZaelTokens', 'lib/zael-tokens.ts'],
  ['ZaelApi', 'lib/zael-api.ts'],
  ['ZaelAggregator', 'lib/zael-aggregator.ts'],
  ['ZaelAuthorizer', 'lib/zael-authorizer.ts'],
  ['ZaelAlarms', 'lib/zael-alarms.ts'],
  ['ZaelService', 'lib/zael-service.ts'],
])('the documentation of %s has all of its properties and no other', (construct, file) => {
  const own = propsOf(`${construct}Props`, read(file))
  const upstreams = propsOf('UpstreamAccess', read('lib/upstream-access.ts'))
  const alerts = propsOf('AlertAccess', read('lib/alert-access.ts'))
  const front = propsOf('ApiAuthorization', read('lib/api-routes.ts'))
  const access = [...propsOf('ApiAccess', read('lib/api-access.ts')), ...upstreams, ...alerts]
  const task = propsOf('ServiceTask', read('lib/service-task.ts'))
  const inherited =
    { ZaelApi: [...access, ...front], ZaelAggregator: alerts, ZaelService: [...access, ...task] }[
      construct
    ] ?? []
  const props = [...own, ...inherited]
  expect(props.length).toBeGreaterThan(1)
  expect(documentedOf(construct, read('docs/constructs.md')).toSorted()).toEqual(props.toSorted())
})

test('the documentation has the properties of the domain of the API', () => {
  const own = propsOf('ApiDomain', read('lib/api-domain.ts'))
  expect(own.length).toBeGreaterThan(1)
  expect(documentedOf('A domain of your own', read('docs/constructs.md')).toSorted()).toEqual(own.toSorted())
})

test('the options of functions are documented once, and the constructs that take them refer to it', () => {
  const options = propsOf('LambdaOptions', read('lib/lambda-options.ts'))
  const document = read('docs/constructs.md')
  expect(options.length).toBeGreaterThan(1)
  expect(documentedOf('LambdaOptions', document).toSorted()).toEqual(options.toSorted())
  const takers = [...read('lib/index.ts').matchAll(/'\.\/(zael-[\w-]+\.ts)'/g)]
    .map(([, file = '']) => read(`lib/${file}`))
    .flatMap(
      (source) => /export interface (Zael\w+)Props extends [^{]*\bLambdaOptions\b/.exec(source)?.[1] ?? [],
    )
  expect(takers).toContain('ZaelApi')
  for (const construct of takers) {
    const section = document.split(/^## /m).find((text) => text.startsWith(`${construct}\n`))
    expect(section).toContain('[LambdaOptions](#lambdaoptions)')
  }
})

test('the documentation has every construct of the package', () => {
  const constructs = [...read('lib/index.ts').matchAll(/\b(Zael\w+?)(?:Props|Attributes)?\b/g)].map(
    ([, name]) => name,
  )
  const sections = [...read('docs/constructs.md').matchAll(/^## (Zael\w+)$/gm)].map(([, name]) => name)
  expect(new Set(sections)).toEqual(new Set(constructs))
})
