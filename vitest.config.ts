import { defineConfig } from 'vitest/config'

/** The examples import the package by its name; here they get its sources, as `paths` of tsconfig.json says. */
const sources = {
  'zael/dynamodb': '/src/library/dynamodb.ts',
  'zael/hono': '/src/library/hono.ts',
  'zael/express': '/src/library/express.ts',
  'zael/lambda': '/src/library/lambda.ts',
  'zael/mcp': '/src/library/mcp.ts',
  'zael/cdk': '/lib/index.ts',
  zael: '/src/library/index.ts',
}
const alias = Object.fromEntries(
  Object.entries(sources).map(([name, path]) => [name, import.meta.dirname + path]),
)

/** A test that takes longer waits for something that will not happen; a busy machine is ten times slower than a quiet one. */
const PATIENCE_MS = 300_000

/** The free LocalStack has no authorizers. */
const excludedOnEmulator = process.env.E2E_EMULATOR === 'localstack' ? ['test/e2e/authorizer.test.ts'] : []

interface ProjectOptions {
  readonly exclude?: string[]
  /** Modules whose `setup` and `teardown` surround all files. */
  readonly globalSetup?: string[]
  /** False: modules are loaded once a worker, not once a file; nothing is mocked in them, and none has state. */
  readonly isolate?: boolean
  /** Modules that are loaded before each file. */
  readonly setupFiles?: string[]
}

const project = (
  name: string,
  include: string[],
  { exclude = [], isolate = true, globalSetup = [], setupFiles = [] }: ProjectOptions = {},
) => ({
  resolve: { alias },
  test: {
    name,
    include,
    exclude: ['**/node_modules/**', ...exclude],
    isolate,
    globalSetup,
    setupFiles,
    testTimeout: PATIENCE_MS,
    hookTimeout: PATIENCE_MS,
  },
})

export default defineConfig({
  test: {
    // one core is left idle unless told, which is half of a machine with two
    maxWorkers: '100%',
    projects: [
      project('unit', ['test/**/*.test.ts'], {
        exclude: [
          'test/**/*.property.test.ts',
          'test/**/*.engine.test.ts',
          'test/**/*.bench.test.ts',
          'test/**/*.browser.test.ts',
          'test/e2e/**',
        ],
        isolate: false,
      }),
      project('property', ['test/**/*.property.test.ts'], {
        isolate: false,
        setupFiles: ['./test/property-setup.ts'],
      }),
      project('engine', ['test/**/*.engine.test.ts'], {
        globalSetup: ['./test/bin/bundled-programs.ts'],
        isolate: false,
      }),
      project('bench', ['test/**/*.bench.test.ts'], { isolate: false }),
      project('browser', ['test/**/*.browser.test.ts'], {
        globalSetup: ['./test/bin/bundled-programs.ts', './test/dashboard/support/chromium.ts'],
      }),
      project('e2e', ['test/e2e/**/*.test.ts'], { exclude: excludedOnEmulator }),
    ],
  },
})
