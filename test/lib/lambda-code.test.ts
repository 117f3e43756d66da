import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { isBuiltin } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Metafile } from 'esbuild'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { AGGREGATOR_SOURCE, API_SOURCE, AUTHORIZER_SOURCE, bundleLambda } from '../../lib/bundle-lambda.ts'
import { filesAtStart } from '../../scripts/bundle-contents.ts'
import { ASSET_SOURCES } from '../../src/http/pages/package-assets.ts'

let directory: string
let api: Metafile
let aggregator: Metafile
let authorizer: Metafile

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'zael-bundle-test-'))
  api = bundleLambda(API_SOURCE, join(directory, 'api'))
  aggregator = bundleLambda(AGGREGATOR_SOURCE, join(directory, 'aggregator'))
  authorizer = bundleLambda(AUTHORIZER_SOURCE, join(directory, 'authorizer'))
})

afterAll(() => rm(directory, { recursive: true, force: true }))

const kilobytesAtStart = (bundle: Metafile): number =>
  filesAtStart(bundle, 'index.mjs').reduce((sum, { bytes }) => sum + bytes, 0) / 1000

/** The sources in the files that `bundle` loads at start. */
const sourcesAtStart = (bundle: Metafile): readonly string[] =>
  filesAtStart(bundle, 'index.mjs').flatMap(({ path }) => Object.keys(bundle.outputs[path]?.inputs ?? {}))

/** The sources that have code in any file of `bundle`. */
const loadedFrom = (bundle: Metafile): readonly string[] =>
  Object.values(bundle.outputs).flatMap(({ inputs }) =>
    Object.entries(inputs).flatMap(([source, { bytesInOutput }]) => (bytesInOutput > 0 ? [source] : [])),
  )

describe('the API', () => {
  test('loads at most 600 KB at start', () => {
    expect(kilobytesAtStart(api)).toBeLessThanOrEqual(600)
  })

  test('loads the AWS SDK, the tokenizer and the OpenAPI document after it is ready', () => {
    const late = /@aws-sdk|@smithy|o200k_base|http\/openapi\/document|prom-client/
    expect(sourcesAtStart(api).filter((source) => late.test(source))).toEqual([])
    for (const part of ['client-dynamodb', 'client-secrets-manager', 'o200k_base', 'http/openapi/document'])
      expect(Object.keys(api.inputs).some((source) => source.includes(part))).toBe(true)
  })

  test('has every file of the docs pages beside it', () => {
    const missing = Object.keys(ASSET_SOURCES).filter(
      (name) => !existsSync(join(directory, 'api/assets', name)),
    )
    expect(missing).toEqual([])
  })

  test('has its source map beside it', () => {
    expect(existsSync(join(directory, 'api/index.mjs.map'))).toBe(true)
  })
})

test('the aggregator contains no HTTP code, and loads the AWS SDK after it is ready', () => {
  expect(Object.keys(aggregator.inputs).filter((source) => /src\/http|hono/.test(source))).toEqual([])
  expect(sourcesAtStart(aggregator).filter((source) => /@aws-sdk|@smithy/.test(source))).toEqual([])
  expect(kilobytesAtStart(aggregator)).toBeLessThanOrEqual(160)
})

test('the authorizer contains no app, no gateway and no administration, and loads the AWS SDK after it is ready', () => {
  const others =
    /node_modules\/hono|src\/gateway|src\/http\/(app\.|entities|model-routes)|admin-store|openapi/
  expect(loadedFrom(authorizer).filter((source) => others.test(source))).toEqual([])
  expect(sourcesAtStart(authorizer).filter((source) => /@aws-sdk|@smithy/.test(source))).toEqual([])
  expect(kilobytesAtStart(authorizer)).toBeLessThanOrEqual(330)
})

test.each(['api', 'aggregator', 'authorizer'])(
  'stack traces of the %s name the lines of the sources',
  async (name) => {
    const entry = join(directory, name, 'index.mjs')
    const env = { TABLE_NAME: 'x' }
    const failed: unknown = await promisify(execFile)(process.execPath, [entry], { env }).catch(
      (error) => error,
    )
    const [, path = '', line] =
      /at .*\(?(src\/settings\/[\w-]+\.ts):(\d+):\d+/.exec(Reflect.get(Object(failed), 'stderr')) ?? []
    const lines = readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8').split('\n')
    expect(lines[Number(line) - 1]).toContain('new SettingsError')
  },
)

test('every bundle contains all packages it needs to start', () => {
  const sent = [api, aggregator, authorizer].flatMap((bundle) =>
    filesAtStart(bundle, 'index.mjs')
      .flatMap(({ path }) => bundle.outputs[path]?.imports ?? [])
      .filter(({ external }) => external)
      .map(({ path }) => path),
  )
  expect(sent.filter((name) => !isBuiltin(name))).toEqual([])
})
