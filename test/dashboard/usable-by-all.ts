import type { Page } from 'playwright-core'
import {
  expectAccessible,
  expectContrast,
  expectNoSidewaysScroll,
  expectWholeChoices,
  SIZES,
} from './page-world.ts'

/** Fails where what is open now is not usable by all: in both sizes, in both themes. */
export const expectUsableByAll = async (page: Page): Promise<void> => {
  for (const size of Object.values(SIZES)) {
    await page.setViewportSize(size)
    await page.emulateMedia({ colorScheme: 'light' })
    await expectNoSidewaysScroll(page)
    await expectWholeChoices(page)
    await expectAccessible(page)
    await page.emulateMedia({ colorScheme: 'dark' })
    await expectContrast(page)
  }
}
