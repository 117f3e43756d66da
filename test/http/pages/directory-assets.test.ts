import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Hono } from 'hono'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createDirectoryAssets } from '../../../src/http/pages/directory-assets.ts'

let directory: string

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'zael-assets-'))
  await writeFile(join(directory, 'openapi.json'), '{"openapi":"3.1.0"}')
  await writeFile(join(directory, 'swagger-ui.css'), 'css')
})

afterAll(() => rm(directory, { recursive: true }))

test('the assets contain the files of a bundle, and the document built with it', async () => {
  const assets = createDirectoryAssets(directory)
  expect(Buffer.from((await assets.docsFile('swagger-ui.css')) ?? []).toString()).toBe('css')
  expect(await assets.docsFile('redoc.standalone.js')).toBeUndefined()
  expect(await assets.openApiDocument(new Hono())).toEqual({ openapi: '3.1.0' })
})
