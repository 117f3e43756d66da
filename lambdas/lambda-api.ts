import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Hono } from 'hono'
import { connectToAws } from '../src/compose/connect.ts'
import { composeZael, type ProcessMetrics, type Zael } from '../src/compose/zael.ts'
import type { Logger } from '../src/core/ports/platform.ts'
import type { Assets } from '../src/http/app-dependencies.ts'
import { createDirectoryAssets } from '../src/http/pages/directory-assets.ts'
import { lruCaches } from '../src/platform/runtime.ts'
import { SettingsError } from '../src/settings/read-settings.ts'
import type { Settings } from '../src/settings/settings.ts'
import type { Fetching } from './handlers.ts'
import { smallCaches } from './small-caches.ts'

/** Set by the bundler: importing package.json would add all of it to the bundle. */
declare const ZAEL_VERSION: string | undefined

const versionInPackage = (): string => {
  const { version }: { version: string } = JSON.parse(
    readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
  )
  return version
}

const version = typeof ZAEL_VERSION === 'string' ? ZAEL_VERSION : versionInPackage()

/** The files of the docs pages and of the dashboard are beside the bundle. The code that makes the OpenAPI document is loaded on the first request for it. */
const assets: Assets = {
  ...createDirectoryAssets(fileURLToPath(new URL('assets', import.meta.url))),
  async openApiDocument(app) {
    const { openApiDocument } = await import('../src/http/openapi/document.ts')
    return openApiDocument(app, version)
  },
}

/**
 * The settings as they apply on Lambda. Throws `SettingsError` for files: environments start at any request, and none of them
 * can be the one that loads files into the table.
 */
export const settingsOnLambda = (settings: Settings): Settings => {
  const { apiKeysFile, apiKeysJson, upstreamsFile } = settings
  const mistakes: string[] = []
  if (apiKeysFile !== null || apiKeysJson !== null) mistakes.push(NO_KEYS)
  if (upstreamsFile !== null) mistakes.push(NO_UPSTREAMS)
  if (mistakes.length > 0) throw new SettingsError(mistakes)
  return { ...settings, maxModelBodyBytes: Math.min(settings.maxModelBodyBytes, MAX_MODEL_BODY_BYTES) }
}

const NO_KEYS =
  'API_KEYS_FILE and API_KEYS_JSON are for npm start: on Lambda make keys by POST /api/entities/{id}/keys'

const NO_UPSTREAMS =
  'UPSTREAMS_FILE is for npm start: on Lambda add upstreams by PUT /api/upstreams/{name} and models by PUT /api/models/{id}'

/** A request to a Lambda is at most 6 MB, with the escapes of its JSON in an event. */
const MAX_MODEL_BODY_BYTES = 4 * 1_048_576

export interface LambdaParts {
  readonly settings: Settings
  readonly logger: Logger
  readonly metrics: ProcessMetrics
  /** The time that is left for the current invocation, in ms. */
  readonly remainingMs: () => number
  /** Whether an environment serves several invocations at a time, and runs between them. Default: false. */
  readonly isShared?: boolean
}

/** zael for a Lambda. Opens no connection. Throws `SettingsError` for settings that are not supported on Lambda. */
export const createLambdaApi = ({ settings, isShared = false, ...parts }: LambdaParts): Zael =>
  composeZael(settingsOnLambda(settings), {
    connect: connectToAws,
    ...parts,
    caches: isShared ? lruCaches : smallCaches,
    assets,
    version,
    environment: process.env,
    listener: { runsBetweenRequests: isShared, streamIntervalMs: null, isLocalOnly: false },
  })

/** The body; `finish` runs before its end, also if it is cancelled or fails. */
const withFinish = (body: ReadableStream<Uint8Array>, finish: () => Promise<void>) => {
  const reader = body.getReader()
  let isCancelled = false
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await reader.read().catch(async (error: unknown) => {
        await finish()
        throw error
      })
      if (isCancelled) return
      if (!done) return controller.enqueue(value)
      await finish()
      controller.close()
    },
    // At once, although a read may be in progress: a silent upstream must be stopped too.
    async cancel(reason) {
      isCancelled = true
      await reader.cancel(reason).finally(finish)
    },
  })
}

/**
 * An app that responds like the current one and runs `finish` before the last byte of each response, also of one that
 * streams or is aborted: on Lambda nothing runs after it. `finish` must not throw.
 */
export const finishResponses = (
  currentApp: () => Promise<Fetching>,
  finish: () => Promise<void>,
): Hono<{ Bindings: object }> =>
  new Hono<{ Bindings: object }>().all('*', async (c) => {
    const app = await currentApp()
    const response = await app.fetch(c.req.raw, c.env)
    if (response.body !== null) return new Response(withFinish(response.body, finish), response)
    await finish()
    return response
  })
