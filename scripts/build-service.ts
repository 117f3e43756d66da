import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runCommandLine } from '../src/command-line/command-line.ts'
import { bundleService } from './bundle-service.ts'

const DIRECTORY = fileURLToPath(new URL('../dist/service', import.meta.url))

const HELP = `npm run build:service

Builds into dist/service what the image of the Dockerfile contains: the service, bundled, and the files of its pages.
Started with: node dist/service/service.mjs`

await runCommandLine({ command: 'npm run build:service', help: HELP, options: {} }, async () => {
  const { outputs } = await bundleService(DIRECTORY)
  const bytes = Object.values(outputs).reduce((sum, output) => sum + output.bytes, 0)
  console.log(`${join('dist', 'service')}: ${(bytes / 1e6).toFixed(1)} MB of code and source maps`)
})
