// Readings whose pages have grades that the test gives them, through a whole run.
import { pipeline, source, type Pipeline, type RunEvent } from '../../../src/index.ts'
import { readCursors } from '../../../src/ledger/cursors.ts'
import { readSlices, type StoredSlice } from '../../../src/ledger/read/read-slices.ts'
import { claim } from '../../../src/ledger/slices/claim.ts'
import { acceptsOpen, openBecause, type Completeness } from '../../../src/model/completeness.ts'
import { NO_READ_COUNTS } from '../../../src/model/counts.ts'
import { END, type Page, type Position } from '../../../src/model/page.ts'
import type { StreamReport } from '../../../src/model/report.ts'
import { definitionHash } from '../../../src/read/definition-hash.ts'
import { ActiveRun } from '../../../src/run/active-run.ts'
import { RunContext } from '../../../src/run/run-context.ts'
import { StreamContext } from '../../../src/run/stream-context.ts'
import { holdSlice } from '../../../src/run/sync/hold-slice.ts'
import type { TestDatabase } from '../../support/database.ts'

interface Item {
  readonly id: number
  readonly at: string
}

type Options = Readonly<Record<string, unknown>>

/** A pipeline with one incremental stream, whose pages the tests provide. */
const flow = (options: Options): Pipeline => {
  const items = source<Item>(async function* () {
    yield await Promise.resolve({ records: [] })
  })
  const rows = options['write'] === 'replace' ? items : items.incremental('at')
  return pipeline('one', { streams: { rows: rows.into('t.rows', options as { key: 'id' }) } })
}

/** A page of one record, or of none. */
export const page = (id: number | undefined, position: Position | undefined, completeness?: Completeness): Page => {
  const at = `2024-01-0${id}`
  return {
    records: id === undefined ? [] : [{ id, at }],
    rejects: [],
    counts: { ...NO_READ_COUNTS, fetched: id === undefined ? 0 : 1 },
    ...(position !== undefined && { position }),
    ...(completeness && { completeness }),
    ...(id !== undefined && { highWaterMark: { value: at } }),
  }
}

export const TOKEN = 'very-secret-token'

/** The grade of a reading that lacks a record. */
export const short = openBecause('3 of 4 records came')

/** Three records, which are three batches. The last one is the end, with a grade. */
export const three = (completeness: Completeness | undefined): Page[] => [
  page(1, { page: 2 }),
  page(2, { page: 3 }),
  page(3, END, completeness),
]

interface Outcome {
  readonly error: unknown
  /** The position from which the slice was read. */
  readonly from: Position
  readonly report: StreamReport
  readonly events: readonly RunEvent[]
  readonly slice: StoredSlice
  readonly rows: readonly number[]
  readonly cursor: string | undefined
}

/** A run of the stream that gets these pages, and then may fail. */
export async function read(
  test: TestDatabase,
  options: Options,
  pages: readonly (Page | Error)[],
  { url = test.url }: { readonly url?: string } = {},
): Promise<Outcome> {
  const events: RunEvent[] = []
  const { database } = test
  let from: Position | undefined
  let error: unknown
  await using context = await RunContext.open(flow(options), {
    database: url,
    onEvent: (event) => events.push(event),
  })
  context.secrets.register?.('TOKEN', TOKEN)
  await using run = await ActiveRun.start(context, { kind: 'sync', streams: ['rows'], options: {} })
  const stream = new StreamContext(run, 'rows', { batch: { rows: 1, bytes: 1 << 20, everyMs: 10_000 } })
  const { recipe, table } = stream
  const claimed = await claim(database, {
    run: run.id,
    keeper: run.keeper,
    pipeline: 'one',
    stream: 'rows',
    definition: definitionHash(recipe, table),
    hasCursor: recipe.incremental !== undefined,
    mustBeComplete: !acceptsOpen(table),
    signal: context.readSignal,
  })
  if (!claimed?.slice) throw new Error(`not claimed: ${JSON.stringify(claimed)}`)
  {
    await using held = holdSlice(stream, claimed)
    const sync = held.sync({
      read: async function* (reading) {
        from = reading.position
        for (const one of pages) {
          if (one instanceof Error) throw one
          const { highWaterMark, ...rest } = one
          const isFollowed = recipe.incremental !== undefined && highWaterMark !== undefined
          yield await Promise.resolve(isFollowed ? { ...rest, highWaterMark } : rest)
        }
      },
    })
    await sync.catch((thrown: unknown) => {
      error = thrown
    })
  }
  if (error === undefined) stream.warnIfOpen()
  const report = error === undefined ? stream.tally.report('done') : stream.fail(error)
  const [slice] = await readSlices(database, { limit: 1 })
  const [cursor] = await readCursors(database, { pipeline: 'one', stream: 'rows' })
  const stored = await database.query<{ id: number }>(
    `select (to_jsonb(r) ->> 'id')::int as id from (select to_regclass('t.rows') as oid) as found
       cross join lateral (select * from t.rows where found.oid is not null) as r order by 1`,
  )
  return {
    error,
    from: from ?? null,
    report,
    events,
    slice: slice!,
    rows: stored.map(({ id }) => id),
    cursor: cursor?.value,
  }
}

export const MERGE = { key: 'id' }
export const APPEND = { write: 'append' }
export const REPLACE = { write: 'replace', key: 'id' }
