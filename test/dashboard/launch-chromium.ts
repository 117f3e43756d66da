import { existsSync } from 'node:fs'
import { type Browser, chromium } from 'playwright-core'
import { UserError } from '../../bin/command-line/user-error.ts'

/** Debian's Chromium, or the one that CHROMIUM_PATH names. */
const PLACES = [
  process.env.CHROMIUM_PATH,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
]

/** The browser of tests; throws where there is none. */
export const launchChromium = (): Promise<Browser> => {
  const executablePath = PLACES.find((path) => path !== undefined && existsSync(path))
  if (executablePath === undefined)
    throw new UserError('Chromium is not installed: install it, or set CHROMIUM_PATH to its executable')
  // Chromium refuses its sandbox to root, who runs CI.
  return chromium.launch({ executablePath, args: process.getuid?.() === 0 ? ['--no-sandbox'] : [] })
}
