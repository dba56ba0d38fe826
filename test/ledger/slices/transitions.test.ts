import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { Database } from '../../../src/database/database.ts'
import { sqlState } from '../../../src/database/errors.ts'
import { openBackfill } from '../../../src/ledger/backfills.ts'
import type { SliceRow } from '../../../src/ledger/slices/held-slice.ts'
import {
  advanceSql,
  claimSync,
  claimWindowRow,
  closeSlices,
  failSlice,
  openSlice,
  releaseSlice,
  renewSlices,
  restartSql,
  skipDoneElsewhere,
} from '../../../src/ledger/slices/transitions.ts'
import { END } from '../../../src/model/page.ts'
import type { Slice } from '../../../src/model/slice.ts'
import type { LeaseKeeper } from '../../../src/ledger/lease/lease-keeper.ts'
import { batch, failure, openLedger, openWorker, signal, type Worker } from '../support.ts'
import { claimRange, day, openRange } from './ranges-support.ts'
import { RANGE, SYNC, WINDOW, type Event, type Expected, type State } from './transition-table.ts'

// The table of states and events in the header of transitions.ts, run against PostgreSQL.

let ledger: Awaited<ReturnType<typeof openLedger>>
/** The first run made the state; the second one claims and opens. */
let first: Worker
let second: Worker
let third: Worker
beforeAll(async () => {
  ledger = await openLedger()
  first = await openWorker(ledger.database)
  second = await openWorker(ledger.database)
  third = await openWorker(ledger.database)
})
afterAll(async () => {
  for (const worker of [first, second, third]) await worker[Symbol.asyncDispose]()
  await ledger[Symbol.asyncDispose]()
})

let streams = 0
const newStream = (): string => `stream_${(streams += 1)}`

/** Leases without a session end by their time alone. */
const session: LeaseKeeper['session'] = { pid: null, started: null }

type Kind = 'sync' | 'window' | 'range'
type Made = { readonly slice: Slice; readonly stream: string; readonly kind: Kind; readonly backfill?: string }

const sliceOf = (row: Pick<SliceRow, 'id' | 'token' | 'seq'>, stream: string, kind: Slice['kind']): Slice => ({
  id: row.id,
  pipeline: 'forum',
  stream,
  partition: '',
  kind,
  token: Number(row.token),
  seq: Number(row.seq),
  position: null,
  rejected: 0,
  startedAt: new Date(),
  resumed: false,
})

const nameOf = (stream: string) => ({ pipeline: 'forum', stream })

const open = (database: Database, run: string, stream: string): Promise<SliceRow | undefined> =>
  openSlice(database, {
    ...nameOf(stream),
    kind: 'sync',
    definition: 'd1',
    since: undefined,
    until: undefined,
    hasCursor: true,
    cursor: undefined,
    run,
    session,
    signal,
  })

const plan = (database: Database, run: string, stream: string, window = '1d') =>
  openBackfill(database, {
    ...nameOf(stream),
    from: '2024-01-01T00:00:00Z',
    to: '2024-01-02T00:00:00Z',
    window,
    zone: 'UTC',
    bounds: ['2024-01-01T00:00:00Z', '2024-01-02T00:00:00Z'],
    definition: 'd1',
    run,
    signal,
  })

const claimWindow = (run: string, backfill: string, only?: string): Promise<SliceRow | undefined> =>
  claimWindowRow(ledger.database, { run, backfill, only, onlyWindows: undefined, definition: 'd1', session, signal })

const claimOpen = (run: string, stream: string): Promise<SliceRow | undefined> =>
  claimSync(ledger.database, { ...nameOf(stream), run, hasCursor: true, definition: 'd1', session, signal })

async function commit(sql: string): Promise<void> {
  await using transaction = await ledger.database.transaction()
  await transaction.commit(sql)
}

const expireLease = (id: string): Promise<unknown> =>
  ledger.database.query(`update sluice.slices set lease_until = clock_timestamp() - interval '1 s' where id = $1`, [id])

/** Another backfill of the stream that has done the same window. */
async function doElsewhere(stream: string): Promise<void> {
  const { id } = await plan(ledger.database, first.run, stream, '24h')
  const row = await claimWindow(first.run, id)
  if (row) await commit(advanceSql(sliceOf(row, stream, 'backfill'), 0, batch(0, { position: END })))
}

const begin = (kind: Kind, stream: string, backfill = ''): Promise<SliceRow | undefined> => {
  if (kind === 'window') return claimWindow(first.run, backfill)
  return (kind === 'range' ? openRange : open)(ledger.database, first.run, stream)
}

/** A slice of a stream of its own, in a state that the first run has brought it to. */
async function make(kind: Kind, state: State): Promise<Made> {
  const stream = newStream()
  if (state === 'none') return { slice: sliceOf({ id: '999999', token: '1', seq: '0' }, stream, 'sync'), stream, kind }
  const backfill = kind === 'window' ? (await plan(ledger.database, first.run, stream)).id : undefined
  const row = await begin(kind, stream, backfill)
  const slice = sliceOf(row!, stream, kind === 'window' ? 'backfill' : 'sync')
  const made = { slice, stream, kind, ...(backfill !== undefined && { backfill }) }
  switch (state) {
    case 'held':
      break
    case 'free':
      await releaseSlice(ledger.database, slice, { signal })
      break
    case 'taken':
      await expireLease(slice.id)
      expect(await claimBy(third.run, made)).toMatchObject({ token: '2' })
      break
    case 'done':
      await commit(advanceSql(slice, 0, batch(0, { position: END })))
      break
    case 'failed':
      await failSlice(ledger.database, slice, { error: 'failed', signal })
      // Only a later run tries a window again.
      await ledger.database.query(`update sluice.slices set finished_at = finished_at - interval '1 h' where id = $1`, [
        slice.id,
      ])
      break
    case 'skipped':
      await releaseSlice(ledger.database, slice, { signal })
      await doElsewhere(stream)
      expect(await skipDoneElsewhere(ledger.database, backfill!, signal)).toBe(1)
      await ledger.database.query(`update sluice.slices set finished_at = finished_at - interval '1 h' where id = $1`, [
        slice.id,
      ])
      break
    case 'closed':
      await close(stream)
  }
  return made
}

const claimBy = (run: string, { kind, stream, backfill }: Made, only?: string): Promise<SliceRow | undefined> => {
  if (backfill !== undefined) return claimWindow(run, backfill, only)
  return kind === 'range' ? claimRange(ledger.database, run, stream) : claimOpen(run, stream)
}

async function close(stream: string): Promise<void> {
  await using transaction = await ledger.database.transaction()
  await closeSlices(transaction, nameOf(stream), 'tried')
  await transaction.commit()
}

/** Sends an event. Returns the slice that it has returned, if it returns one. */
async function send(event: Event, made: Made): Promise<SliceRow | undefined> {
  const { database } = ledger
  const { slice, stream, backfill, kind } = made
  const { seq } = slice
  switch (event) {
    case 'open':
      if (kind === 'range') return openRange(database, second.run, stream)
      if (backfill === undefined) return open(database, second.run, stream)
      expect(await plan(database, second.run, stream)).toEqual({ id: backfill, created: false })
      return undefined
    case 'claim':
      return claimBy(second.run, made)
    case 'claim all':
      return claimBy(second.run, made, 'all')
    case 'renew': {
      await using connection = await database.connection()
      await renewSlices(connection, new Map([[slice.id, slice.token]]), session)
      return undefined
    }
    case 'advance':
      await commit(advanceSql(slice, seq, batch(1)))
      return undefined
    case 'finish':
      await commit(advanceSql(slice, seq, batch(1, { position: END })))
      return undefined
    case 'restart': {
      // A range keeps its bounds.
      const [since, until] = kind === 'range' ? [day(1), day(2)] : [undefined, undefined]
      await commit(restartSql(slice, seq, { definition: 'd1', since, until }))
      return undefined
    }
    case 'release':
      await releaseSlice(database, slice, { signal })
      return undefined
    case 'fail':
      await failSlice(database, slice, { error: 'failed', signal })
      return undefined
    case 'skip':
      if (backfill !== undefined) {
        await doElsewhere(stream)
        await skipDoneElsewhere(database, backfill, signal)
      }
      return undefined
    case 'close':
      await close(stream)
      return undefined
  }
}

interface Row {
  readonly state: State
  readonly row: unknown
}

/** The state of a slice for the holder of a token, with its whole row. */
async function read(id: string, token: number): Promise<Row> {
  const [row] = await ledger.database.query<{ status: State | 'open'; token: string; leased: boolean }>(
    'select *, lease_until > clock_timestamp() as leased from sluice.slices where id = $1',
    [id],
  )
  if (!row) return { state: 'none', row }
  if (row.status !== 'open') return { state: row.status, row }
  if (!row.leased) return { state: 'free', row }
  return { state: Number(row.token) === token ? 'held' : 'taken', row }
}

/** Brings a slice into a state, sends an event, and returns what has become of the slice. */
async function outcomeOf(kind: Kind, state: State, event: Event): Promise<string> {
  const made = await make(kind, state)
  const { id, token } = made.slice
  const before = await read(id, token)
  if (before.state !== state) return `not made: it is ${before.state}`
  let returned: SliceRow | undefined
  const error = await failure(
    (async () => {
      returned = await send(event, made)
    })(),
  )
  const after = await read(id, returned ? Number(returned.token) : token)
  const isChanged = JSON.stringify(after.row) !== JSON.stringify(before.row)
  if (error)
    return `${sqlState(error) === 'SL001' ? 'lost' : (error as Error).message}${isChanged ? ', but changed' : ''}`
  if (returned && returned.id !== id) return isChanged ? 'another, but changed' : 'another'
  if (!isChanged) return '-'
  if (returned && Number(returned.token) !== token + 1) return `claimed with token ${returned.token} after ${token}`
  return after.state
}

const cases = (table: Partial<Record<State, Record<Event, Expected>>>) =>
  Object.entries(table).flatMap(([state, events]) =>
    Object.entries(events).map(([event, expected]) => [state as State, event as Event, expected] as const),
  )

describe('a sync slice', () => {
  test.each(cases(SYNC))('that is %s: the event %s leads to %s', async (state, event, expected) => {
    expect(await outcomeOf('sync', state, event)).toBe(expected)
  })
})

describe('a range', () => {
  test.each(cases(RANGE))('that is %s: the event %s leads to %s', async (state, event, expected) => {
    expect(await outcomeOf('range', state, event)).toBe(expected)
  })
})

describe('a window', () => {
  test.each(cases(WINDOW).filter(([state, event]) => !(state === 'none' && event === 'open')))(
    'that is %s: the event %s leads to %s',
    async (state, event, expected) => {
      expect(await outcomeOf('window', state, event)).toBe(expected)
    },
  )
})
