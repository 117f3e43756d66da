import type { Page } from 'playwright-core'
import { expectAccessible, expectNoSidewaysScroll, SIZES } from './page-world.ts'

/** Fails where what is open now is not usable by all: in both sizes, in both themes. */
export const expectUsableByAll = async (page: Page): Promise<void> => {
  for (const size of Object.values(SIZES)) {
    await page.setViewportSize(size)
    await expectNoSidewaysScroll(page)
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme })
      await expectAccessible(page)
    }
  }
}
