import { defineConfig } from 'vitest/config'

const project = (name: string, include: string[], exclude: string[] = []) => ({
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
      project('e2e', ['test/e2e/**/*.test.ts']),
    ],
  },
})
