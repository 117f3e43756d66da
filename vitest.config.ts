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

const project = (name: string, include: string[], exclude: string[] = []) => ({
  resolve: { alias },
  test: { name, include, exclude, testTimeout: 60_000, hookTimeout: 60_000 },
})

export default defineConfig({
  test: {
    projects: [
      project(
        'unit',
        ['test/**/*.test.ts'],
        [
          'test/**/*.property.test.ts',
          'test/**/*.engine.test.ts',
          'test/**/*.browser.test.ts',
          'test/e2e/**',
        ],
      ),
      project('property', ['test/**/*.property.test.ts']),
      project('engine', ['test/**/*.engine.test.ts']),
      project('browser', ['test/**/*.browser.test.ts']),
      project('e2e', ['test/e2e/**/*.test.ts']),
    ],
  },
})
