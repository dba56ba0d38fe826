import { Readable } from 'node:stream'
import { expect, test } from '@jest/globals'
import { http, onePage, pipeline as definePipeline, since, type Flow, type Pipeline } from '../../src/index.ts'
import { exportCursors, importProblem, type ExportedCursor } from '../../src/run/move-cursors.ts'
import { apiServer } from '../support/api-server.ts'
import { testDatabase } from '../support/database.ts'
import { callSluice } from './support/call.ts'
import { project } from './support/command.ts'

const pipeline = (field = 'at', beside = ''): string => `
import { byPage, http, onePage, pipeline } from 'SLUICE'
const rows = http(process.env.BY_HAND_API).get('/rows').pages(byPage('page')).records().incremental('${field}')
export default pipeline('hand', { streams: { ${beside}rows: rows.into('t.rows', { write: 'append' }) } })
`

/** Four pages of one record. The third one fails until `mend` is called. `origin`: of the API of another fixture. */
async function fixture({ field, origin, beside }: { field?: string; origin?: string; beside?: string } = {}) {
  const resources = new AsyncDisposableStack()
  let isBroken = true
  const api = resources.use(
    await apiServer(({ query, path }) => {
      if (path.startsWith('/notes')) return { json: [{ id: 7 }] }
      const page = Number(query.get('page'))
      if (page === 3 && isBroken) return { status: 404, json: {} }
      const at = `2024-01-0${page}T00:00:00Z`
      return { json: page > 4 ? [] : [{ id: page, at, other: at }] }
    }),
  )
  const { database, url } = resources.use(await testDatabase())
  const { cwd } = resources.use(await project({ 'pipelines/hand.ts': pipeline(field, beside) }))
  const all = resources.move()
  return {
    api,
    database,
    mend: () => (isBroken = false),
    sluice: (...args: string[]) =>
      callSluice(args, { cwd, env: { BY_HAND_API: origin ?? api.origin, DATABASE_URL: url } }),
    /** The pages that were requested since the last call. */
    pages: (
      (from) => () =>
        api.requests.slice(from, (from = api.requests.length)).map(({ query }) => query.get('page'))
    )(0),
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  }
}

const ids = async ({ database }: Awaited<ReturnType<typeof fixture>>): Promise<number[]> =>
  (await database.query<{ id: string }>('select id from t.rows order by id')).map(({ id }) => Number(id))

test('sluice runs resume leaves out a stream that the run has ended', async () => {
  const notes = `http(process.env.BY_HAND_API).get('/notes').pages(onePage()).records()`
  await using hand = await fixture({ beside: `notes: ${notes}.into('t.notes', { write: 'append' }), ` })
  expect(await hand.sluice('run')).toMatchObject({ code: 1 })
  hand.mend()
  expect(await hand.sluice('runs', 'resume', '1')).toMatchObject({ code: 0, stderr: '' })
  expect(await ids(hand)).toEqual([1, 2, 3, 4])
  expect(await hand.database.query('select id::int from t.notes')).toEqual([{ id: 7 }])
})

test('sluice runs resume goes on after the last commit; each change is written down with who and why', async () => {
  await using hand = await fixture()
  const { sluice, mend, pages } = hand
  expect(await sluice('run')).toMatchObject({ code: 1 })
  expect(pages()).toEqual(['1', '2', '3'])
  mend()
  expect((await sluice('slices', 'list', 'hand.rows', '--status', 'open')).stdout).toMatch(
    /^ *1 +hand\.rows +sync +open .*\n\nslice 1: .*404/ms,
  )
  const resumed = await sluice('runs', 'resume', '1', '--why', 'it was mended')
  expect(resumed).toMatchObject({ code: 0, stderr: '' })
  // The last page that was stored is read again, to see whether the list has moved.
  expect(pages().slice(0, 3)).toEqual(['2', '3', '4'])
  expect(await ids(hand)).toEqual([1, 2, 3, 4])
  expect((await sluice('runs', '1')).stdout).toMatch(/^resumed by \S+@\S+ at [\d-]+T[\d:]+Z: it was mended$/m)
  expect((await sluice('runs', 'resume', '2')).stderr).toContain('Run 2 is done, so there is nothing to resume')
  expect((await sluice('runs', 'abandon', '99')).stderr).toContain('There is no run 99')
  expect((await sluice('runs', 'hand', '--limit', '1')).stdout).toMatch(/^ *2 +hand/m)
})

test('sluice runs abandon lets the next run begin again, without a row twice', async () => {
  await using hand = await fixture()
  const { sluice, mend, pages } = hand
  await sluice('run')
  mend()
  expect((await sluice('runs', 'abandon', '1', '--why', 'moved')).stdout).toMatch(
    /^hand\.rows: the next run begins again/,
  )
  pages()
  expect(await sluice('run')).toMatchObject({ code: 0 })
  expect(pages().slice(0, 4)).toEqual(['1', '2', '3', '4'])
  expect(await ids(hand)).toEqual([1, 2, 3, 4])
  expect((await sluice('runs', '1')).stdout).toMatch(/^abandoned: rows by \S+ at \S+: moved$/m)
  expect((await sluice('runs', 'abandon', '2')).stdout).toContain('has left nothing open')
})

test('a cursor that was exported is imported where the stream is the same, and refused elsewhere', async () => {
  await using from = await fixture()
  const { origin } = from.api
  await using to = await fixture({ origin })
  await using other = await fixture({ origin, field: 'other' })
  from.mend()
  await from.sluice('run')
  const { stdout: exported } = await from.sluice('cursor', 'export')
  const take = async (hand: typeof to, text: string, ...args: string[]) => {
    const { stdin } = process
    Object.defineProperty(process, 'stdin', { value: Readable.from([text]), configurable: true })
    try {
      return await hand.sluice('cursor', 'import', ...args)
    } finally {
      Object.defineProperty(process, 'stdin', { value: stdin, configurable: true })
    }
  }
  expect((await take(to, exported, '--dry-run')).stdout).toMatch(/would read from 2024-01-04/)
  expect((await to.sluice('cursor', 'show')).stdout).toBe('No stream has a cursor yet.\n')
  expect(await take(to, exported, '--why', 'new server')).toMatchObject({ code: 0, stderr: '' })
  const show = JSON.parse((await to.sluice('cursor', 'show', '--json')).stdout) as unknown
  expect(show).toMatchObject([
    {
      cursor: '2024-01-04T00:00:00Z',
      changed: expect.stringMatching(/^cursor set to 2024-01-04T00:00:00Z, by \S+@\S+ at \S+: new server$/),
    },
  ])
  // The rows at the cursor are known, so the append without a key does not store them again.
  const boundary = 'select boundary is not null as known from sluice.cursors'
  expect(await to.database.query(boundary)).toEqual([{ known: true }])

  for (const [hand, text, problem] of [
    [
      other,
      exported,
      /No cursor was set\.\nhand\.rows: the cursor is of the field 'at', and the definition has 'other'/,
    ],
    [to, exported.replaceAll('"rows"', '"gone"'), /hand\.gone: there is no such stream \(hand has rows\)/],
    [
      to,
      exported.replace('2024-01-04T00:00:00Z', '17'),
      /the cursor that is there \(2024-.*\) is of another kind than 17/,
    ],
    [to, '{}', /This is no export of cursors/],
    [to, 'no', /This is no JSON/],
  ] as const)
    expect(await take(hand, text)).toMatchObject({ code: 2, stderr: expect.stringMatching(problem) })
  expect(await other.database.query('select 1 from sluice.cursors')).toEqual([])
  expect((await to.sluice('cursor', 'reset', 'hand', '--why', 'again')).code).toBe(0)
  expect(await to.database.query('select change, why from sluice.changes order by id desc limit 1')).toEqual([
    { change: 'cursor removed, it was 2024-01-04T00:00:00Z', why: 'again' },
  ])
})

interface Moved {
  readonly id: number
  readonly at: string
}

test('a cursor of an append with a key is not imported into one without', () => {
  const rows = http('http://127.0.0.1:1').get<Moved[]>('/rows', { since }).pages(onePage()).records().incremental('at')
  const moved = (flow: Flow<Moved>): { readonly pipeline: Pipeline } => ({
    pipeline: definePipeline('moved', { streams: { rows: flow } }),
  })
  const keyed = moved(rows.into('t.rows', { write: 'append', key: 'id' }))
  const keyless = moved(rows.into('t.rows', { write: 'append' }))
  const cursor = { pipeline: 'moved', stream: 'rows', partition: '', value: '2024-01-01T00:00:00Z' }
  const problem = (from: typeof keyed, boundary: Partial<ExportedCursor>, to: typeof keyed) => {
    const { cursors } = exportCursors([{ ...cursor, ...boundary }], [from])
    return importProblem(cursors[0]!, { found: [to], stored: [] })
  }
  expect(problem(keyed, {}, keyless)).toMatch(/^moved\.rows: .* without a key here and had one .* stored twice\. Give/)
  expect(problem(keyless, { boundary: { a: 1 } }, keyless)).toBeUndefined()
  expect(problem(keyless, { boundary: { a: 1 } }, keyed)).toBeUndefined()
  expect(problem(keyed, {}, keyed)).toBeUndefined()
})
