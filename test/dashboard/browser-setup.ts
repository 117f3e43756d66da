import type { BrowserServer } from 'playwright-core'
import type { TestProject } from 'vitest/node'
import { launchChromiumServer } from './launch-chromium.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** Where the browser of all test files is found. */
    readonly browserEndpoint: string
  }
}

let browser: BrowserServer | undefined

/** Launches one browser for all test files: each opens contexts of its own, which share nothing. */
export const setup = async (project: TestProject): Promise<void> => {
  browser = await launchChromiumServer()
  project.provide('browserEndpoint', browser.wsEndpoint())
}

export const teardown = async (): Promise<void> => {
  await browser?.close()
}
