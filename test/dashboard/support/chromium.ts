import { existsSync } from 'node:fs'
import { type Browser, type BrowserServer, chromium, type LaunchOptions } from 'playwright-core'
import type { TestProject } from 'vitest/node'
import { UserError } from '../../../src/command-line/command-line.ts'

/** Debian's Chromium, or the one that CHROMIUM_PATH names. */
const PLACES = [
  process.env.CHROMIUM_PATH,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
]

/** A browser; throws where none is installed. */
export const launchChromium = (): Promise<Browser> => chromium.launch(launchOptions())

/** A browser that other processes connect to; throws where none is installed. */
export const launchChromiumServer = (): Promise<BrowserServer> => chromium.launchServer(launchOptions())

const launchOptions = (): LaunchOptions => {
  const executablePath = PLACES.find((path) => path !== undefined && existsSync(path))
  if (executablePath === undefined)
    throw new UserError('Chromium is not installed: install it, or set CHROMIUM_PATH to its executable')
  // Chromium refuses its sandbox to root, who runs CI.
  return { executablePath, args: process.getuid?.() === 0 ? ['--no-sandbox'] : [] }
}

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
