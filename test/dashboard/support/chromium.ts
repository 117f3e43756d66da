import { existsSync } from 'node:fs'
import { type Browser, type BrowserServer, chromium, type LaunchOptions } from 'playwright-core'
import type { TestProject } from 'vitest/node'
import { UserError } from '../../../src/command-line/command-line.ts'

/** The Chromium of CHROMIUM_PATH, or that of the system. */
const PLACES = [
  process.env.CHROMIUM_PATH,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
]

/** Launches a browser; throws if none is installed. */
export const launchChromium = (): Promise<Browser> => chromium.launch(launchOptions())

/** Launches a browser that other processes connect to; throws if none is installed. */
export const launchChromiumServer = (): Promise<BrowserServer> => chromium.launchServer(launchOptions())

const launchOptions = (): LaunchOptions => {
  const executablePath = PLACES.find((path) => path !== undefined && existsSync(path))
  if (executablePath === undefined)
    throw new UserError('Chromium is not installed: install it, or set CHROMIUM_PATH to its executable')
  // Chromium does not run its sandbox as root, and CI runs as root.
  return { executablePath, args: process.getuid?.() === 0 ? ['--no-sandbox'] : [] }
}

declare module 'vitest' {
  interface ProvidedContext {
    /** The WebSocket endpoint of the browser that all test files share. */
    readonly browserEndpoint: string
  }
}

let browser: BrowserServer | undefined

/** Launches one browser for all test files; each opens isolated contexts. */
export const setup = async (project: TestProject): Promise<void> => {
  browser = await launchChromiumServer()
  project.provide('browserEndpoint', browser.wsEndpoint())
}

export const teardown = async (): Promise<void> => {
  await browser?.close()
}
