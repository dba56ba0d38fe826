import { expect, test } from '@jest/globals'
import { http, onePage } from '../../../src/index.ts'
import {
  keyTerms,
  readSharedKeys,
  reopenSharedKeySql,
  settleSharedKeySql,
  sharedKeySql,
} from '../../../src/ledger/shared-keys.ts'
import type { Table } from '../../../src/model/recipe.ts'
import { filledLedger, type Ended } from './cover-support.ts'

const tableOf = (key: string): Table =>
  http('http://x')
    .get<{ id: number; no: number }[]>('/')
    .pages(onePage())
    .records()
    .into('t.rows', { key } as never).table
const TABLE = tableOf('id')

interface Reading extends Pick<Ended, 'since' | 'until'> {
  /** The only window of a backfill. */
  readonly isWindow?: boolean
  readonly rows?: number
  /** It gave up before its end. */
  readonly isFailed?: boolean
  readonly finds?: string
  /** What it finds after a restart; null for nothing. */
  readonly restarts?: string | null
}
interface Case {
  /** One after the other, each to its end. */
  readonly readings: readonly Reading[]
  /** A reading of everything in steps, by the numbers of its first and its last reading. */
  readonly full?: readonly [first: number, last: number | null]
  readonly noted: string | undefined
}

const a = 'id 1: it is shared'
const b = "id 2: it's shared"
const CASES: Record<string, Case> = {
  'the reading that found it': { readings: [{ finds: a }], noted: a },
  'a restart that finds nothing': { readings: [{ finds: a, restarts: null }], noted: undefined },
  'a restart that finds it again': { readings: [{ finds: a, restarts: b }], noted: b },
  'a restart that reads nothing': { readings: [{ finds: a, restarts: null, rows: 0 }], noted: a },
  'a restart that fails': { readings: [{ finds: a, restarts: null, isFailed: true }], noted: a },
  'a restart of a later reading': {
    readings: [
      { finds: a, since: '1' },
      { since: '2', restarts: null },
    ],
    noted: a,
  },
  'a later reading of everything': { readings: [{ finds: a, since: '1' }, {}], noted: undefined },
  'a later reading from the same beginning': {
    readings: [{ finds: a, since: '1' }, { since: '1' }],
    noted: undefined,
  },
  'a later reading from the same beginning that finds it': {
    readings: [
      { finds: a, since: '1' },
      { since: '1', finds: b },
    ],
    noted: b,
  },
  'a later reading of everything without records': { readings: [{ finds: a }, { rows: 0 }], noted: a },
  'a later reading of what is new': { readings: [{ finds: a }, { since: '2' }], noted: a },
  'a later reading of what is new that finds another': { readings: [{ finds: a }, { since: '2', finds: b }], noted: b },
  'a step from the same beginning': {
    readings: [
      { finds: a, since: '1' },
      { since: '1', until: '2' },
    ],
    noted: a,
  },
  'a step that restarts': { readings: [{ finds: a, since: '1', until: '2', restarts: null }], noted: undefined },
  'the steps behind the one that found it': {
    readings: [{ finds: a, until: '2' }, { since: '2', until: '3' }, { since: '3' }],
    noted: a,
  },
  'a later reading of everything in steps': {
    readings: [{ finds: a }, { until: '2' }, { since: '2' }],
    full: [1, 2],
    noted: undefined,
  },
  'a later reading of everything in steps, whose last step is not done': {
    readings: [{ finds: a }, { until: '2' }, { since: '2', until: '3' }],
    full: [1, null],
    noted: a,
  },
  'a reading of everything in steps that found it itself': {
    readings: [{ until: '2', finds: a }, { since: '2' }],
    full: [0, 1],
    noted: a,
  },
  'a window of the same range': { readings: [{ finds: a, since: '1' }, { isWindow: true }], noted: a },
  'a window that found it': { readings: [{ isWindow: true, finds: a }, { since: '1' }], noted: a },
  'a window that restarts': { readings: [{ isWindow: true, finds: a, restarts: null }], noted: undefined },
  'a window that found it, and a reading of everything': {
    readings: [{ isWindow: true, finds: a }, {}],
    noted: undefined,
  },
}

test('a key that is not unique stays noted until the same was read again and did not show it', async () => {
  await using ledger = await filledLedger()
  const { database, slice } = ledger
  const run = (sql: string): Promise<unknown> => database.query(sql)
  const window = async (stream: string): Promise<string> => {
    const { id: backfill } = await database.one<{ id: string }>(
      `select id from sluice.plan_backfill($1, 'forum', $2, '', $3, '1d', 'UTC', 'd1')`,
      [ledger.run, stream, [new Date('2024-01-01'), new Date('2024-01-02')]],
    )
    const { id } = await database.one<{ id: string }>(
      `update sluice.slices set status = 'done', position = '{"end":true}', started_at = clock_timestamp(),
          finished_at = clock_timestamp() where backfill = $1 returning id`,
      [backfill],
    )
    return id
  }
  for (const [stream, { readings, full }] of Object.entries(CASES)) {
    const ids: string[] = []
    for (const { rows = 3, isFailed = false, isWindow = false, since, until } of readings) {
      const id = isWindow ? await window(stream) : await slice({ since, until, stream })
      const end = isFailed ? "status = 'failed', position = null, " : ''
      await database.query(`update sluice.slices set ${end}fetched = $2, unchanged = $2 where id = $1`, [id, rows])
      ids.push(id)
    }
    if (full)
      await database.query(
        `insert into sluice.full_reads (pipeline, stream, definition, started_by, first_slice, last_slice)
         values ('forum', $1, 'd1', 1, $2, $3)`,
        [stream, ids[full[0]], full[1] === null ? null : ids[full[1]]],
      )
    for (const [number, { finds, restarts }] of readings.entries()) {
      const it = { id: ids[number] ?? '' }
      if (finds !== undefined) await run(sharedKeySql(it, TABLE, finds))
      // The first one of a reading is told.
      if (finds !== undefined) await run(sharedKeySql(it, TABLE, 'another one'))
      if (restarts !== undefined) await run(reopenSharedKeySql(it))
      if (typeof restarts === 'string') await run(sharedKeySql(it, TABLE, restarts))
      await run(settleSharedKeySql(it))
    }
  }
  const noted = new Map((await readSharedKeys(database)).map(({ stream, message }) => [stream, message]))
  expect(Object.fromEntries(Object.keys(CASES).map((name) => [name, noted.get(name)]))).toEqual(
    Object.fromEntries(Object.entries(CASES).map(([name, { noted: message }]) => [name, message])),
  )
})

test('a note has the terms of the key, and one with other terms takes its place', async () => {
  await using ledger = await filledLedger()
  const { database, slice, run } = ledger
  const id = await slice({})
  const other = tableOf('no')
  await database.query(sharedKeySql({ id }, TABLE, a))
  await database.query(sharedKeySql({ id }, other, b))
  await database.query(reopenSharedKeySql({ id: `${BigInt(id) + 1n}` }))
  await database.query(settleSharedKeySql({ id }))
  expect(await readSharedKeys(database)).toEqual([
    { pipeline: 'forum', stream: 'posts', run, terms: keyTerms(other), message: b },
  ])
  expect(keyTerms(other)).not.toBe(keyTerms(TABLE))
})
