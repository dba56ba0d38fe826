import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { Browser } from 'playwright-core'
import { backfill, readStatus, run, serve } from '../../src/index.ts'
import { apiServer } from '../support/api-server.ts'
import { browserPath, openBrowser } from '../support/browser.ts'
import { testDatabase } from '../support/database.ts'
import { pagedByCursor, renamedCursor } from './open-readings.ts'
import { openPage } from './page-fixture.ts'

const described = browserPath === undefined ? describe.skip : describe

described("completeness on the page (in this machine's Chromium or that of CHROMIUM_PATH)", () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await openBrowser()
  })
  afterAll(async () => {
    await browser.close()
  })

  test('a run that could not prove that it read everything is open, with its reason, until it is covered', async () => {
    const source = renamedCursor()
    await using api = await apiServer(source.handler)
    await using base = await testDatabase()
    const shop = pagedByCursor(api.origin)
    const options = { database: base.url, environment: {} }
    await run(shop, options)
    await using server = await serve(shop, { port: 0, ...options })
    await using opened = await openPage(browser, server)
    const { page, complaints } = opened
    const row = page.locator('.streams .row[data-stream="shop.rows"]')
    await row.locator('.mark[data-kind=warning]', { hasText: /^open$/ }).waitFor()
    const { findings } = await readStatus([shop], options)
    expect(await row.locator('.findings .error-text').textContent()).toBe(findings[0]?.message)
    const last = page.locator('.runs .row[data-run="1"]')
    await last.locator('.mark[data-kind=warning]', { hasText: /^open$/ }).waitFor()

    await last.getByRole('link').click()
    await page.getByRole('heading', { name: 'shop · run 1' }).waitFor()
    await page.locator('.run-title .mark[data-kind=warning]', { hasText: /^open$/ }).waitFor()
    const slice = page.locator('.slices .row[data-slice="1"]')
    await slice.getByText(/^Not proven complete: .*next_cursor/).waitFor()
    expect(await slice.locator('[data-label=Complete]').textContent()).toBe('open')

    await page.goto(`${server.url}/#/stream/shop/rows`)
    await page.locator('.facts dd', { hasText: /^Not proven complete: .*next_cursor/ }).waitFor()
    source.isRenamed = false
    await run(shop, { ...options, full: true })
    await page.locator('.facts dd', { hasText: /^ended$/ }).waitFor()
    expect(await page.locator('main .findings li').count()).toBe(0)
    expect(complaints).toEqual([])
  })

  test('a window that is not proven complete is marked in the map, counted, and explained beside it', async () => {
    const source = renamedCursor()
    await using api = await apiServer(source.handler)
    await using base = await testDatabase()
    const shop = pagedByCursor(api.origin)
    const options = { database: base.url, environment: {} }
    await backfill(shop, { ...options, from: '2024-01-01', to: '2024-01-04' })
    await using server = await serve(shop, { port: 0, ...options })
    await using opened = await openPage(browser, server)
    const { page, complaints } = opened
    await page.goto(`${server.url}/#/backfill/1`)
    await page.getByText('3 of 3 windows done · 3 not proven complete').waitFor()
    expect(await page.locator('.map .cell[data-state=unproven]').count()).toBe(3)
    await page.getByRole('gridcell', { name: '2024-01-02, not proven complete, 1 row' }).click()
    const panel = page.getByRole('region', { name: 'Chosen window' })
    await panel.getByText(/^Not proven complete: .*next_cursor/).waitFor()

    source.isRenamed = false
    await backfill(shop, { ...options, from: '2024-01-01', to: '2024-01-04', window: '3d' })
    await page.getByText(/^3 of 3 windows done$/).waitFor()
    await page.getByRole('gridcell', { name: '2024-01-02, done, 1 row' }).waitFor()
    await panel.getByText('open, read again with proof since').waitFor()
    expect(complaints).toEqual([])
  })
})
