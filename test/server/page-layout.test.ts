import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { Browser, Page } from 'playwright-core'
import { apiServer } from '../support/api-server.ts'
import { browserPath, openBrowser, overhang } from '../support/browser.ts'
import { testDatabase } from '../support/database.ts'
import { entries, openPage, serving } from './page-fixture.ts'

const described = browserPath === undefined ? describe.skip : describe

described("layout of the page (in this machine's Chromium or that of CHROMIUM_PATH)", () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await openBrowser()
  })
  afterAll(async () => {
    await browser.close()
  })

  test('every view fits into 360, 1,300 and 1,600 pixels, light and dark, during a run', async () => {
    const gate = Promise.withResolvers<void>()
    await using api = await apiServer(
      entries(200, async (page) => {
        if (page > 2) await gate.promise
      }),
    )
    await using base = await testDatabase()
    await using server = await serving(api.origin, base.url)
    await using opened = await openPage(browser, server)
    const { page, complaints } = opened
    await page.getByRole('button', { name: 'Run book' }).click()
    await page.locator('.chain[data-stream=entries]').waitFor()
    // The overview shows backfills and runs side by side.
    const days = { pipeline: 'book', stream: 'entries', from: '2024-01-01', to: '2024-01-03' }
    expect((await page.request.post(`${server.url}/api/backfills`, { data: days })).status()).toBe(202)
    await page.locator('.backfills').getByText('2 of 2 windows done').waitFor()
    for (const at of ['', 'runs', 'run/1', 'stream/book/entries', 'backfills', 'rejects']) {
      await page.goto(`${server.url}/#/${at}`)
      await page.locator('main h1').waitFor({ state: 'attached' })
      for (const width of [360, 1_300, 1_600]) {
        await page.setViewportSize({ width, height: 800 })
        expect([width, at, await overhang(page)]).toEqual([width, at, 0])
      }
      const grounds = new Set<string>()
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme })
        grounds.add(await ground(page))
      }
      expect(grounds.size).toBe(2)
    }
    expect(complaints).toEqual([])
    gate.resolve()
  }, 20_000)

  test('the page reports a lost connection, reconnects by itself and keeps the chosen theme', async () => {
    await using base = await testDatabase()
    await using server = await serving('http://127.0.0.1:9', base.url)
    await using opened = await openPage(browser, server, { colorScheme: 'light' })
    const { page } = opened
    const connection = page.getByLabel('Connection')
    await connection.getByText('Live').waitFor()
    const light = await ground(page)
    await page.getByLabel('Theme').selectOption('dark')
    const dark = await ground(page)
    expect(dark).not.toBe(light)

    await server[Symbol.asyncDispose]()
    await connection.getByText('Reconnecting').waitFor()
    await page.getByText('This page shows data from').waitFor()
    await using again = await serving('http://127.0.0.1:9', base.url, { port: Number(new URL(server.url).port) })
    await connection.getByText('Live').waitFor()
    expect(await page.locator('#stale').isHidden()).toBe(true)

    await page.goto(`${again.url}/?again`)
    expect(await ground(page)).toBe(dark)
  }, 20_000)

  test('every day has one cell on the map, and so has an hour that occurs twice', async () => {
    await using base = await testDatabase()
    await using server = await serving('http://127.0.0.1:9', base.url)
    await using opened = await openPage(browser, server)
    const layout = async (
      step: string,
      zone: string,
      count: number,
      ms: number,
      from: string,
    ): Promise<{ title: string; rows: { label: string; cells: { column: number }[] }[] }[]> =>
      opened.page.evaluate(
        `import('/page/map/window-layout.js').then(({ layout }) => {
          const lower = (at) => new Date(Date.parse('${from}') + at * ${ms}).toISOString()
          return layout(Array.from({ length: ${count} }, (_, at) => ({ lower: lower(at) })), '${step}', '${zone}')
        })`,
      )
    const days = await layout('1d', 'UTC', 1_096, 86_400_000, '2023-01-01T00:00:00Z')
    expect(
      days.map(({ title, rows }) => [title, rows.length, rows.reduce((sum, { cells }) => sum + cells.length, 0)]),
    ).toEqual([
      ['2023', 12, 365],
      ['2024', 12, 366],
      ['2025', 12, 365],
    ])
    expect(days[1]!.rows[1]).toMatchObject({ label: 'Feb', cells: { length: 29, 28: { column: 29 } } })
    const [night] = await layout('1h', 'Europe/Berlin', 25, 3_600_000, '2024-10-26T22:00:00Z')
    expect(night!.rows.map(({ label, cells }) => [label, cells.map(({ column }) => column)])).toEqual([
      ['27', Array.from({ length: 25 }, (_, at) => at + 1)],
    ])
  })
})

/** Returns the background colour of the page. */
const ground = async (page: Page): Promise<string> =>
  String(await page.evaluate('getComputedStyle(document.documentElement).backgroundColor'))
