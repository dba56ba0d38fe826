import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { Browser, Page } from 'playwright-core'
import type { Database } from '../../src/database/database.ts'
import { apiServer } from '../support/api-server.ts'
import { browserPath, openBrowser } from '../support/browser.ts'
import { testDatabase } from '../support/database.ts'
import { readStatus, run, serve } from '../../src/index.ts'
import { book, entries, evil, openPage, serving } from './page-fixture.ts'

const described = browserPath === undefined ? describe.skip : describe

described("the page (in this machine's Chromium or that of CHROMIUM_PATH)", () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await openBrowser()
  })
  afterAll(async () => {
    await browser.close()
  })

  test('the page shows the numbers of the ledger during a run and after it, and no record becomes markup', async () => {
    const gate = Promise.withResolvers<void>()
    await using api = await apiServer(
      entries(600, async (page) => {
        if (page > 8) await gate.promise
      }),
    )
    await using base = await testDatabase()
    await using server = await serving(api.origin, base.url)
    await using opened = await openPage(browser, server)
    const { page, complaints } = opened
    await page.getByRole('button', { name: 'Run book' }).press('Enter')
    const chain = page.locator('.chain[data-stream=entries]')
    // Eight pages are answered and committed; the others wait for the gate.
    await chain.locator('.place-table .place-value', { hasText: /^400$/ }).waitFor()
    expect(await stored(base.database)).toBe(400)
    gate.resolve()
    const run = page.locator('.runs .row', { hasText: 'book · run 1' })
    await run.getByText('done').waitFor()
    expect(await stored(base.database)).toBe(600)
    expect(await run.textContent()).toContain('600')
    await run.getByRole('link').click()
    await page.getByRole('heading', { name: 'book · run 1' }).waitFor()
    const [counts] = await base.database.query<Record<string, string>>(
      `select fetched, expanded, inserted, updated, unchanged, filtered, duplicate, rejected, parents
         from sluice.slices`,
    )
    for (const [name, value] of Object.entries(counts!))
      expect([name, await page.locator(`.counts [data-name=entries] [data-count=${name}]`).textContent()]).toEqual([
        name,
        value,
      ])
    await page.locator('.events', { hasText: 'run.finished' }).waitFor()
    await page.getByRole('link', { name: 'Rejects' }).click()
    await page.locator('.reject-reason').waitFor()
    expect(await page.getByLabel('Record of reject 1').textContent()).toContain(JSON.stringify(evil))
    expect(await page.locator('main img').count()).toBe(0)
    expect(complaints).toEqual([])
  }, 20_000)

  test('findings of sluice status are visible beside their stream and pipeline', async () => {
    let isBroken = false
    await using api = await apiServer(
      entries(50, () => (isBroken ? { status: 404, json: { error: evil } } : undefined)),
    )
    await using base = await testDatabase()
    const scheduled = book(api.origin, { schedule: '*/5 * * * *' })
    await run(scheduled, { database: base.url, environment: {} })
    // The schedule was missed since.
    for (const table of ['runs', 'slices'])
      await base.database.query(`update sluice.${table} set finished_at = finished_at - interval '1 hour'`)
    await using server = await serve(scheduled, { port: 0, database: base.url, environment: {} })
    await using opened = await openPage(browser, server)
    const { page, complaints } = opened
    const card = page.locator('.pipeline[data-pipeline=book]')
    await card.getByText('overdue since the tick').waitFor()
    // Its row does not repeat what the head of the pipeline says.
    expect(await card.locator('.row .findings li').count()).toBe(0)
    isBroken = true
    await page.getByRole('button', { name: 'Run book' }).press('Enter')
    const problem = card.locator('.row .findings .error-text')
    await problem.waitFor()
    const { findings } = await readStatus([scheduled], { database: base.url, environment: {} })
    expect(findings.map(({ kind }) => kind)).toEqual(['failed', 'overdue', 'rejects'])
    expect(await problem.textContent()).toBe(findings[0]?.message)
    await card.getByRole('link', { name: 'entries', exact: true }).click()
    await page.getByRole('heading', { name: 'book.entries' }).waitFor()
    await page.locator('main .findings li').nth(1).waitFor()
    expect(await page.locator('main .findings li').allTextContents()).toEqual(findings.map(({ message }) => message))
    expect(complaints).toEqual([])
  }, 20_000)

  test('the keyboard alone finds a failed window, reads its error and retries just that window', async () => {
    let isBroken = true
    await using api = await apiServer(
      entries(240, (_, query) =>
        isBroken && /^2024-01-0[46]/.test(query.get('since') ?? '')
          ? { status: 404, json: { error: evil } }
          : undefined,
      ),
    )
    await using base = await testDatabase()
    await using server = await serving(api.origin, base.url)
    await using opened = await openPage(browser, server)
    const { page, complaints } = opened
    await page.goto(`${server.url}/#/stream/book/entries`)
    await page.getByLabel('From').fill('2024-01-01')
    await page.getByLabel('To (not included)').fill('2024-01-01')
    await page.getByRole('button', { name: 'Start the backfill' }).press('Enter')
    await page.getByText(/from 2024-01-01 is not before to 2024-01-01\. .*: correct what the message names/).waitFor()
    await page.getByLabel('To (not included)').fill('2024-01-11')
    await page.getByRole('button', { name: 'Start the backfill' }).press('Enter')
    await page.getByText('2 failed').waitFor()
    await page.goto(`${server.url}/#/`)
    await tabTo(page, 'book.entries, 2024-01-01 to 2024-01-11 by 1d')
    await page.keyboard.press('Enter')
    await page.getByText('8 of 10 windows done · 2 failed').waitFor()
    await tabTo(page, '2024-01-04, failed')
    await page.keyboard.press('Home')
    expect(await focused(page)).toMatch(/^2024-01-01, done/)
    for (const _ of [2, 3, 4]) await page.keyboard.press('ArrowRight')
    expect(await focused(page)).toBe('2024-01-04, failed')
    await page.keyboard.press('Enter')
    expect(await focused(page)).toBe('Retry this window')
    expect(await page.getByLabel('Error of this window').textContent()).toContain('404')
    await page.keyboard.press('Escape')
    expect(await focused(page)).toBe('2024-01-04, failed')
    isBroken = false
    await page.keyboard.press('Enter')
    await page.keyboard.press('Enter')
    // Only this window is read again.
    await page.getByText('9 of 10 windows done · 1 failed').waitFor()
    await page.getByRole('gridcell', { name: '2024-01-04, done, 24 rows' }).waitFor()
    expect(await states(base.database)).toEqual({ done: 9, failed: 1 })
    await page.getByRole('button', { name: 'Retry 1 failed window' }).press('Enter')
    await page.getByText('10 of 10 windows done').waitFor()
    await page.getByRole('gridcell', { name: '2024-01-06, done, 24 rows' }).waitFor()
    expect(await states(base.database)).toEqual({ done: 10 })
    const shown = await page
      .locator('.map .cell')
      .evaluateAll((cells) =>
        cells.map((cell) => /, ([\d,]+) rows?$/.exec((cell as unknown as { ariaLabel: string }).ariaLabel)?.[1] ?? '0'),
      )
    expect(shown.map(Number)).toEqual(await rowsOfWindows(base.database))
    // The browser logs the range that was rejected.
    expect(complaints).toEqual([expect.stringContaining('422')])
  }, 20_000)
})

const stored = async (database: Database): Promise<number> =>
  Number(
    (
      await database.query<{ rows: string }>('select coalesce(sum(fetched + expanded), 0) as rows from sluice.slices')
    )[0]!.rows,
  )

const states = async (database: Database): Promise<Record<string, number>> =>
  Object.fromEntries(
    (
      await database.query<{ status: string; number: number }>(
        'select status, count(*)::int as number from sluice.slices group by status',
      )
    ).map(({ status, number }) => [status, number]),
  )

const rowsOfWindows = async (database: Database): Promise<number[]> =>
  (
    await database.query<{ rows: number }>(
      'select (inserted + updated + unchanged)::int as rows from sluice.slices order by lower',
    )
  ).map(({ rows }) => rows)

/** Returns the focused element by the name that a screen reader announces. */
const focused = async (page: Page): Promise<string> =>
  String(await page.evaluate("document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent"))

/** Presses Tab until an element has the focus. An element that Tab does not reach needs a mouse. */
async function tabTo(page: Page, name: string): Promise<void> {
  for (let presses = 0; presses < 60; presses += 1) {
    if ((await focused(page)).startsWith(name)) return
    await page.keyboard.press('Tab')
  }
  throw new Error(`the tab key does not reach ${name}`)
}
