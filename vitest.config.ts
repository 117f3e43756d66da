import { defineConfig } from 'vitest/config'

/** The examples import the package by its name; here they get its sources, as `paths` of tsconfig.json says. */
const sources = {
  'zael/dynamodb': '/src/library/dynamodb.ts',
  'zael/hono': '/src/library/hono.ts',
  'zael/express': '/src/library/express.ts',
  'zael/cdk': '/lib/index.ts',
  zael: '/src/library/index.ts',
}
const alias = Object.fromEntries(
  Object.entries(sources).map(([name, path]) => [name, import.meta.dirname + path]),
)

interface ProjectOptions {
  readonly exclude?: string[]
  /** Bounds of a test and a hook that hang: nothing waits for them where all is well. */
  readonly timeoutMs?: number
  /** False: modules are loaded once a worker, not once a file; nothing is mocked in them, and none has state. */
  readonly isolate?: boolean
}

const project = (
  name: string,
  include: string[],
  { exclude = [], isolate = true, timeoutMs = 60_000 }: ProjectOptions = {},
) => ({
  resolve: { alias },
  test: { name, include, exclude, isolate, testTimeout: timeoutMs, hookTimeout: timeoutMs },
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
          'test/**/*.browser.test.ts',
          'test/e2e/**',
        ],
        isolate: false,
      }),
      project('property', ['test/**/*.property.test.ts'], { isolate: false }),
      project('engine', ['test/**/*.engine.test.ts'], { isolate: false }),
      // A browser, a server and every other worker may share one core.
      project('browser', ['test/**/*.browser.test.ts'], { timeoutMs: 300_000 }),
      project('e2e', ['test/e2e/**/*.test.ts']),
    ],
  },
})
