import { rm } from 'node:fs/promises'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bundleLambda } from '../lib/lambda-code.ts'
import { AGGREGATOR_SOURCE, API_SOURCE } from '../lib/lambda-sources.ts'
import { filesAtStart } from './files-at-start.ts'
import { runScript } from './run-command.ts'

const DIST = fileURLToPath(new URL('../dist/lambdas', import.meta.url))

/** Writes the bundles that a deployment makes for itself to `dist/lambdas`, to look at. */
await runScript(async () => {
  await rm(DIST, { recursive: true, force: true })
  for (const source of [API_SOURCE, AGGREGATOR_SOURCE]) {
    const name = basename(source.entry, '.ts')
    const files = filesAtStart(bundleLambda(source, `${DIST}/${name}`), 'index.mjs')
    const kilobytes = files.reduce((sum, { bytes }) => sum + bytes, 0) / 1000
    console.log(`dist/lambdas/${name}: ${kilobytes.toFixed(0)} KB are loaded at start`)
  }
})
