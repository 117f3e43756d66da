import axe, { type AxeResults, type RunOptions } from 'axe-core'
import type { Page } from 'playwright-core'
import { expect } from 'vitest'
import { DEADLINE_MS, SIZES } from './world.ts'

/** Fails if a rule of WCAG 2.2 AA or of axe's best practices is violated; lists the rule and the elements. */
export const expectAccessible = (page: Page): Promise<void> => expectNoViolations(page, {})

/** Fails if the contrast of text is too low: the only rule that depends on the theme. */
export const expectContrast = (page: Page): Promise<void> =>
  expectNoViolations(page, { runOnly: ['color-contrast', 'link-in-text-block'] })

const expectNoViolations = async (page: Page, options: RunOptions): Promise<void> => {
  await page.evaluate(axe.source)
  const { violations } = await page.evaluate<AxeResults>(`axe.run(${JSON.stringify(options)})`)
  const found = violations.map(
    ({ id, help, nodes }) => `${id}: ${help} (${nodes.map(({ html }) => html).join(' | ')})`,
  )
  expect(found).toEqual([])
}

/** Fails if a list box cuts off the text of its choice; lists the texts. */
export const expectWholeChoices = async (page: Page): Promise<void> => {
  const cut = await page.evaluate(`[...document.querySelectorAll('select')].filter((select) => {
    const copy = select.cloneNode(false)
    copy.append(...[...select.selectedOptions].map((option) => option.cloneNode(true)))
    copy.style.cssText = 'position: absolute; width: max-content; min-width: 0; max-width: none'
    select.parentElement.append(copy)
    const isCut = select.offsetWidth > 0 && copy.offsetWidth > select.offsetWidth
    copy.remove()
    return isCut
  }).map((select) => select.selectedOptions[0]?.text)`)
  expect(cut).toEqual([])
}

/** Fails if the document is wider than its window, the most common fault on a phone. */
export const expectNoSidewaysScroll = async (page: Page): Promise<void> => {
  const overflowPx = await page.evaluate(
    'document.documentElement.scrollWidth - document.documentElement.clientWidth',
  )
  expect(overflowPx).toBe(0)
}

/** Fails if the current view is not accessible, in both sizes and both themes. */
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

/** Polls an assertion until it holds: the machine may be busy. */
export const eventually = <T>(read: () => Promise<T>) => expect.poll(read, { timeout: DEADLINE_MS })
