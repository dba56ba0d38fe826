import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { displayWidth } from '../../src/cli/output/display-width.ts'
import { apiServer, type ApiServer } from '../support/api-server.ts'
import { testDatabase } from '../support/database.ts'
import { project } from './support/command.ts'
import { hasTerminal, inTerminal, type Terminal } from './support/terminal.ts'

const inside = hasTerminal() ? describe : describe.skip

const pipeline = `
import { byPage, http, pipeline } from 'SLUICE'

const api = http(process.env.API)
export default pipeline('shop', { streams: {
  customers: api
    .get('/customers')
    .pages(byPage('page', { pages: 'pages' }))
    .records('rows')
    .tap(({ id }) => { if (id === 2) console.log('the second customer') })
    .into('t.customers', { key: 'id' }),
  prices: api.get('/prices').pages(byPage('page')).records('rows').into('t.prices', { key: 'id' }),
} })
`

/** An API that holds back the fourth of ten pages until `goOn`, and refuses the first request for prices with 429. */
async function shop(): Promise<ApiServer & { readonly goOn: () => void }> {
  const go = Promise.withResolvers<void>()
  let isFirst = true
  const api = await apiServer(async ({ path, query }) => {
    const page = Number(query.get('page'))
    if (path === '/prices') {
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

interface Shown {
  readonly terminal: Terminal
  readonly api: Awaited<ReturnType<typeof shop>>
  /** When the run began, by performance.now(). */
  readonly began: number
}

interface ShownOptions {
  readonly columns: number
  readonly rows?: number
  readonly env?: Readonly<Record<string, string>>
}

// oxlint-disable-next-line no-control-regex -- Escape sequences are the subject.
const FRAMES = /\u001b\[\?2026h/g
// oxlint-disable-next-line no-control-regex
const COLOURS = /\u001b\[[\d;]+m/
/** Three pages of ten are committed 2 s after they arrived. */
const READ = /^customers +3 rows +[\d,]+\/s {2}━━━─{9} {2}30% {2}(1 retry {2})?~\d+ (s|min) left$/

const isRead = (lines: readonly string[]): boolean => lines.some((line) => /^customers +3 rows .*30%/.test(line))
const linesWith = ({ terminal }: Shown, pattern: RegExp): string[] =>
  terminal.screen.lines.filter((line) => pattern.test(line))

inside('a run on a terminal', () => {
  const opened = new AsyncDisposableStack()
  const shown: Partial<Record<'usual' | 'narrowed' | 'unknown' | 'dumb' | 'stopped', Shown>> = {}
  const shownAs = (name: keyof typeof shown): Shown => {
    const one = shown[name]
    if (!one) throw new Error(`${name} was not opened`)
    return one
  }

  async function open({ columns, rows = 24, env = {} }: ShownOptions): Promise<Shown> {
    const here = opened.use(await project({ 'pipelines/shop.ts': pipeline }))
    const database = opened.use(await testDatabase())
    const api = opened.use(await shop())
    const began = performance.now()
    const settings = { API: api.origin, DATABASE_URL: database.url, ...env }
    const terminal = opened.use(await inTerminal(['run', 'shop'], { cwd: here.cwd, columns, rows, env: settings }))
    return { terminal, api, began }
  }

  // Each run waits most of its time. They do so at the same time, and each waits at the fourth page.
  beforeAll(async () => {
    await Promise.all(
      Object.entries({
        usual: { columns: 80 },
        narrowed: { columns: 100 },
        unknown: { columns: 0, rows: 0, env: { NO_COLOR: '1' } },
        dumb: { columns: 80, env: { TERM: 'dumb' } },
        stopped: { columns: 80 },
      } satisfies Record<keyof typeof shown, ShownOptions>).map(async ([name, options]) => {
        shown[name as keyof typeof shown] = await open(options)
      }),
    )
    // Nothing has to be seen of these before their end.
    for (const name of ['unknown', 'dumb'] as const) shownAs(name).api.goOn()
  })
  afterAll(async () => opened.disposeAsync())

  test('of 80 columns shows the progress of its streams, and each warning, failure and report once', async () => {
    const { terminal, api, began } = shownAs('usual')
    await terminal.shows((lines) => lines.some((line) => READ.test(line)))
    await terminal.shows((lines) => lines.some((line) => /^prices +0 rows/.test(line)))
    api.goOn()
    expect(await terminal.ended).toBe(1)
    const seconds = (performance.now() - began) / 1_000
    const { lines } = terminal.screen
    expect(Math.max(...lines.map(displayWidth))).toBeLessThanOrEqual(80)
    expect(lines.filter((line) => line === 'the second customer')).toHaveLength(1)
    // Above the lines only if customers are read on; the report follows at once otherwise.
    expect(lines.filter((line) => line.startsWith('failed: prices: ')).length).toBeLessThanOrEqual(1)
    expect(lines.filter((line) => line.includes('FAILED: '))).toHaveLength(1)
    // The line of progress, and that of the report.
    expect(lines.filter((line) => line.startsWith('customers '))).toEqual([
      expect.stringMatching(/^customers +10 rows .* done$/),
      expect.stringMatching(/^customers +10 +10 /),
    ])
    const written = terminal.written()
    expect(written).toMatch(COLOURS)
    expect(written.match(FRAMES)?.length).toBeLessThan(5 * seconds + 10)
    expect(Buffer.byteLength(written)).toBeLessThan(seconds * 2_000 + 4_000)
  })

  test('narrowed from 100 to 40 columns has lines that fit, and the same lines again at 100', async () => {
    const shown = shownAs('narrowed')
    const { terminal, api } = shown
    await terminal.shows(isRead)
    await terminal.resize(40, 24)
    await terminal.shows(
      (lines) =>
        lines.some((line) => /^customers +3 rows/.test(line)) && lines.every((line) => displayWidth(line) <= 40),
    )
    await terminal.shows((lines) => lines.filter((line) => line.startsWith('customers ')).length === 1)
    await terminal.resize(100, 24)
    await terminal.shows(isRead)
    expect(linesWith(shown, /^customers /)).toHaveLength(1)
    api.goOn()
    await terminal.ended
    expect(linesWith(shown, /^customers .* done$/)).toHaveLength(1)
  })

  test('that says it has no columns is drawn all the same, and without colours under NO_COLOR', async () => {
    const shown = shownAs('unknown')
    await shown.terminal.ended
    expect(shown.terminal.written()).not.toMatch(COLOURS)
    expect(shown.terminal.written()).toMatch(FRAMES)
    expect(linesWith(shown, /^customers .* done$/)).toHaveLength(1)
  })

  test('that is dumb prints lines one below the other, and no escape sequence', async () => {
    const shown = shownAs('dumb')
    await shown.terminal.ended
    expect(shown.terminal.written()).not.toContain('\u001b')
    expect(linesWith(shown, / shop\.customers {2}done in /)).toHaveLength(1)
  })

  test('that Ctrl-C stops leaves its lines, its report and the cursor', async () => {
    const shown = shownAs('stopped')
    await shown.terminal.shows(isRead)
    shown.terminal.type('\u0003')
    expect(await shown.terminal.ended).toBe(130)
    expect(linesWith(shown, /^customers .* stopped$/)).toHaveLength(1)
    expect(shown.terminal.written()).not.toContain('\u001b[?25l')
  })

  test('shows how long the API makes a stream wait', async () => {
    // It was overwritten since.
    expect(shownAs('narrowed').terminal.written()).toMatch(/waits: (Retry-After|next try)/)
  })
})

test('a run that does not print to a terminal prints plain lines', async () => {
  await using here = await project({ 'pipelines/shop.ts': pipeline })
  await using database = await testDatabase()
  await using api = await shop()
  api.goOn()
  const { stdout } = await here.sluice(['run', 'shop.customers'], { API: api.origin, DATABASE_URL: database.url })
  expect(stdout).not.toContain('\u001b')
  expect(stdout).toMatch(/^the second customer$/m)
  expect(stdout).toMatch(/ {2}shop\.customers {2}done in /)
})
