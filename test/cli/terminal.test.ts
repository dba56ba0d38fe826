import { describe, expect, jest, test } from '@jest/globals'
import { displayWidth } from '../../src/cli/output/display-width.ts'
import { apiServer, type ApiServer } from '../support/api-server.ts'
import { testDatabase } from '../support/database.ts'
import { project } from './support/command.ts'
import { hasTerminal, inTerminal } from './support/terminal.ts'

jest.setTimeout(60_000)

const inside = hasTerminal() ? describe : describe.skip

const pipeline = `
import { byPage, http, pipeline } from 'SLUICE'

const api = http(process.env.API)
export default pipeline('shop', { streams: {
  customers: api.get('/customers').pages(byPage('page', { pages: 'pages' })).records('rows').tap(({ id }) => { if (id === 2) console.log('the second customer') }).into('t.customers', { key: 'id' }),
  prices: api.get('/others').pages(byPage('page')).records('rows').into('t.others', { key: 'id' }),
} })
`

/** Ten pages of customers, the fourth of which is not answered before `goOn`; the others are told to wait first. */
async function shop(): Promise<ApiServer & { readonly goOn: () => void }> {
  const go = Promise.withResolvers<void>()
  let isFirst = true
  const api = await apiServer(async ({ path, query }) => {
    const page = Number(query.get('page'))
    if (path === '/others') {
      if (isFirst) {
        isFirst = false
        return { status: 429, headers: { 'retry-after': '1' } }
      }
      await go.promise
      return { status: 404 }
    }
    if (page > 3) await go.promise
    return { json: { pages: 10, rows: [{ id: page }] } }
  })
  return Object.assign(api, { goOn: go.resolve })
}

async function opened({
  columns,
  rows = 24,
  env = {},
}: {
  columns: number
  rows?: number
  env?: Readonly<Record<string, string>>
}) {
  await using all = new AsyncDisposableStack()
  const here = all.use(await project({ 'pipelines/shop.ts': pipeline }))
  const database = all.use(await testDatabase())
  const api = all.use(await shop())
  const began = performance.now()
  const terminal = all.use(
    await inTerminal(['run', 'shop'], {
      cwd: here.cwd,
      columns,
      rows,
      env: { API: api.origin, DATABASE_URL: database.url, ...env },
    }),
  )
  const kept = all.move()
  return { ...terminal, terminal, api, began, [Symbol.asyncDispose]: () => kept.disposeAsync() }
}

// oxlint-disable-next-line no-control-regex -- Escape sequences are what is looked for.
const frames = /\u001b\[\?2026h/g
// oxlint-disable-next-line no-control-regex
const colours = /\u001b\[[\d;]+m/

inside('a run on a terminal', () => {
  test('of 80 columns shows how its streams go on, and leaves each line, warning and report once', async () => {
    await using shown = await opened({ columns: 80 })
    // Three pages of ten are committed, two seconds after they came.
    await shown.shows((lines) =>
      lines.some((line) => /^customers +3 rows +[\d,]+\/s {2}━━━─{9} {2}30% {2}(1 retry {2})?~\d+ s left$/.test(line)),
    )
    await shown.shows((lines) => lines.some((line) => /^prices +0 rows/.test(line)))
    shown.api.goOn()
    expect(await shown.ended).toBe(1)
    const seconds = (performance.now() - shown.began) / 1_000
    const { lines } = shown.screen
    expect(Math.max(...lines.map(displayWidth))).toBeLessThanOrEqual(80)
    expect(lines.filter((line) => line === 'the second customer')).toHaveLength(1)
    expect(lines.filter((line) => line.startsWith('failed: prices: '))).toHaveLength(1)
    // The line, and that of the report.
    expect(lines.filter((line) => line.startsWith('customers '))).toEqual([
      expect.stringMatching(/^customers +10 rows .* done$/),
      expect.stringMatching(/^customers +10 +10 /),
    ])
    expect(shown.written()).toMatch(colours)
    expect(shown.written().match(frames)!.length).toBeLessThan(5 * seconds + 10)
    expect(Buffer.byteLength(shown.written())).toBeLessThan(seconds * 2_000 + 4_000)
  })

  test('is told of what the API makes it wait for', async () => {
    await using shown = await opened({ columns: 100 })
    await shown.shows((lines) => lines.some((line) => /waits: (Retry-After|next try) \d+ s/.test(line)))
    shown.api.goOn()
    expect(await shown.ended).toBe(1)
  })

  test('of 40 columns has lines that fit, also when it was 100 wide before and is so again', async () => {
    await using shown = await opened({ columns: 100 })
    await shown.shows((lines) => lines.some((line) => /^customers .* 30% /.test(line)))
    await shown.resize(40, 24)
    await shown.shows(
      (lines) =>
        lines.some((line) => /^customers +3 rows/.test(line)) && lines.every((line) => displayWidth(line) <= 40),
    )
    await shown.shows((lines) => lines.filter((line) => line.startsWith('customers ')).length === 1)
    await shown.resize(100, 24)
    await shown.shows((lines) => lines.some((line) => /^customers .* 30% /.test(line)))
    expect(shown.screen.lines.filter((line) => line.startsWith('customers '))).toHaveLength(1)
    shown.api.goOn()
    await shown.ended
    expect(shown.screen.lines.filter((line) => /^customers .* done$/.test(line))).toHaveLength(1)
  })

  test('has no colours with NO_COLOR, and is drawn all the same where it says it has no columns', async () => {
    await using shown = await opened({ columns: 0, rows: 0, env: { NO_COLOR: '1' } })
    shown.api.goOn()
    await shown.ended
    expect(shown.written()).not.toMatch(colours)
    expect(shown.written()).toMatch(frames)
    expect(shown.screen.lines.filter((line) => /^customers .* done$/.test(line))).toHaveLength(1)
  })

  test('is not drawn on a dumb one: lines follow each other, and nothing moves the cursor', async () => {
    await using shown = await opened({ columns: 80, env: { TERM: 'dumb' } })
    shown.api.goOn()
    await shown.ended
    expect(shown.written()).not.toContain('\u001b')
    expect(shown.screen.lines.some((line) => /^customers .* done$/.test(line))).toBe(true)
  })

  test('leaves the terminal as it was when it is stopped: lines, report, cursor', async () => {
    await using shown = await opened({ columns: 80 })
    await shown.shows((lines) => lines.some((line) => /^customers .* 30% /.test(line)))
    shown.type('\u0003')
    expect(await shown.ended).toBe(130)
    expect(shown.screen.lines.filter((line) => /^customers .* stopped$/.test(line))).toHaveLength(1)
    expect(shown.written()).not.toContain('\u001b[?25l')
  })
})

test('what is not a terminal gets one line of JSON for each event, with no escape sequence', async () => {
  await using here = await project({ 'pipelines/shop.ts': pipeline })
  await using database = await testDatabase()
  await using api = await shop()
  api.goOn()
  const { stdout } = await here.sluice(['run', 'shop.customers'], { API: api.origin, DATABASE_URL: database.url })
  expect(stdout).not.toContain('\u001b')
  const lines = stdout
    .trim()
    .split('\n')
    .filter((line) => line !== 'the second customer')
  expect(lines.map((line) => (JSON.parse(line) as { type: string }).type)).toEqual(
    expect.arrayContaining(['run.started', 'pages.total', 'batch.committed', 'report']),
  )
})
