import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { launchChromium } from '../dashboard/support/chromium.ts'
import { ADMIN_TOKEN, admin, output } from './deployment.ts'

let browser: Browser

beforeAll(async () => {
  browser = await launchChromium()
})
afterAll(() => browser?.close())

describe('the dashboard, behind API Gateway', () => {
  test('opens below the stage, signs in, and polls', async () => {
    const page = await browser.newPage()
    const complaints: string[] = []
    page.on('pageerror', ({ message }) => complaints.push(message))
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()))
    await page.goto(`${output('DashboardUrl')}#token=${ADMIN_TOKEN}`)
    await page.getByText('Polling').first().waitFor()
    // other tests' entities may fill the first page
    await page.getByLabel('Search').fill('key-bob')
    await page.getByRole('link', { name: 'Bob' }).first().waitFor()
    expect(complaints).toEqual([])
  })

  test('shows that its stream does not continue', async () => {
    expect((await admin('GET', '/api/dashboard/session')).body).toMatchObject({
      role: 'admin',
      streams: false,
    })
  })

  test('is sent as text, because gateways differ in how they decode base64', async () => {
    const page = await fetch(output('DashboardUrl'), { headers: { 'accept-encoding': 'gzip' } })
    expect(page.headers.get('content-encoding')).toBeNull()
    expect(await page.text()).toMatch(/^<!doctype html>/)
  })
})
