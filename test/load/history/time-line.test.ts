// The time line does not depend on the order in which versions arrive, on batches, replays or rollbacks. More seeds:
// HISTORY_SEEDS=500 npm run jest -- test/load/history/time-line.test.ts
import { expect, jest, test } from '@jest/globals'
import type { Database } from '../../../src/database/database.ts'
import { closeSql } from '../../../src/load/history/close-versions.ts'
import { lockHistory } from '../../../src/load/history/write-history.ts'
import { NeedsSchemaChange } from '../../../src/load/shape/schema-change.ts'
import { openTableWriter, type TableWriter } from '../../../src/load/table-writer.ts'
import type { Table } from '../../../src/model/recipe.ts'
import { testDatabase } from '../../support/database.ts'
import { balances, commit, page, table } from '../support.ts'

jest.setTimeout(10 * 60_000)

const SEEDS = Number(process.env['HISTORY_SEEDS'] ?? 4)

interface Version {
  readonly id: number
  readonly minute: number
  readonly name: string
}
interface Deletion {
  readonly id: number
  readonly minute: number
  readonly isDeletion: true
}
type Event = Version | Deletion

const isDeletion = (event: Event): event is Deletion => 'isDeletion' in event
const isVersion = (event: Event): event is Version => !isDeletion(event)

/** A generator of numbers below n, the same for one seed. */
function random(seed: number): (n: number) => number {
  let state = seed * 2_654_435_761 + 1
  return (n) => {
    state = (Math.imul(state ^ (state >>> 15), 2_246_822_507) + 0x9e_37_79_b9) | 0
    return ((state ^ (state >>> 13)) >>> 0) % n
  }
}

const at = (minute: number): string => new Date(Date.UTC(2024, 0, 1, 0, minute)).toISOString()

/** All that has happened: versions of a few keys, and deletions, each after the version that it ends. */
function logOf(below: (n: number) => number): Event[] {
  const log: Event[] = []
  for (let id = 1; id <= 4; id += 1) {
    let minute = below(5)
    for (let number = 0; number < 3 + below(12); number += 1) {
      log.push({ id, minute, name: `${id}.${number}` })
      minute += 1 + below(3)
      if (below(4) === 0) log.push({ id, minute: minute - (below(2) === 0 ? 0 : 1), isDeletion: true })
      minute += below(2)
    }
  }
  // At one moment a row is there again, or it has just begun: a deletion at its moment is another case.
  return log.filter((event, index) => {
    if (!isDeletion(event)) return true
    return !log.some((other, at) => at !== index && other.id === event.id && other.minute === event.minute)
  })
}

/** Returns the time line of the whole log, as `id from..to name`. */
function expected(log: readonly Event[]): string[] {
  return log
    .filter(isVersion)
    .map((version) => {
      const later = log.filter(({ id, minute }) => id === version.id && minute > version.minute)
      const end = Math.min(...later.map(({ minute }) => minute))
      return `${version.id} ${version.minute}..${Number.isFinite(end) ? end : ''} ${version.name}`
    })
    .toSorted()
}

const minutes = (column: string): string => `(extract(epoch from ${column} - '2024-01-01Z'::timestamptz) / 60)::int`

async function stored(database: Database, name: string): Promise<string[]> {
  const rows = await database.query<{ line: string }>(
    `select id || ' ' || ${minutes('_valid_from')} || '..' || coalesce(${minutes('_valid_to')}::text, '') || ' ' || name
       as line from ${name}`,
  )
  return rows.map(({ line }) => line).toSorted()
}

/** Shuffles a log. A deletion still comes after the version that it ends, as its tombstone would. */
function shuffled(log: readonly Event[], below: (n: number) => number): Event[] {
  const left = log.filter(isVersion)
  const order: Event[] = []
  while (left.length > 0) order.push(...left.splice(below(left.length), 1))
  for (const deletion of log.filter(isDeletion)) {
    const before = log.filter(
      (event) => !isDeletion(event) && event.id === deletion.id && event.minute < deletion.minute,
    )
    const ended = before.toSorted((a, b) => b.minute - a.minute)[0]
    const from = ended === undefined ? order.length : order.indexOf(ended) + 1
    order.splice(from + below(order.length - from + 1), 0, deletion)
  }
  return order
}

async function writeRows(database: Database, writer: TableWriter, rows: readonly Version[]): Promise<void> {
  const one = page(rows.map(({ id, minute, name }) => ({ id, at: at(minute), name })))
  for (;;) {
    const encoded = writer.encode(one)
    if (encoded instanceof NeedsSchemaChange) await writer.change(encoded)
    else {
      const { counts } = await commit(database, writer, [encoded])
      if (!balances(counts)) throw new Error(`the counts do not balance: ${JSON.stringify(counts)}`)
      return
    }
  }
}

async function rollBackRows(database: Database, writer: TableWriter, rows: readonly Version[]): Promise<void> {
  const encoded = writer.encode(page(rows.map(({ id, minute, name }) => ({ id, at: at(minute), name }))))
  if (encoded instanceof NeedsSchemaChange) return
  await using transaction = await database.transaction()
  await writer.write(transaction, [encoded])
}

async function deleteRows(database: Database, { name }: Table, deletions: readonly Deletion[]): Promise<void> {
  if (deletions.length === 0) return
  await using transaction = await database.transaction()
  await lockHistory(transaction, name)
  const values = deletions.map(({ id, minute }) => `(${id}::bigint, '${at(minute)}'::timestamptz)`).join(', ')
  await transaction.run(
    closeSql({
      table: name,
      source: `(select * from (values ${values}) as v (id, at))`,
      keys: [{ name: 'id' }],
      moment: 's.at',
      loadedAt: false,
    }),
  )
  await transaction.commit()
}

test('versions in any order and any batches, sent again and rolled back, give the time line of the log', async () => {
  await using target = await testDatabase()
  const { database } = target
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const below = random(seed)
    const log = logOf(below)
    const definition = table({ name: `t.seed_${seed}`, write: 'history', versionBy: 'at' })
    const slice = { id: '1', pipeline: 'p', stream: 's' }
    const writer = await openTableWriter(database, definition, { slice })
    const order = shuffled(log, below)
    const sent: Event[][] = []
    for (let from = 0; from < order.length;) {
      const size = 1 + below(8)
      sent.push(order.slice(from, from + size))
      from += size
    }
    for (const [index, batch] of sent.entries()) {
      const again = below(3) === 0 ? (sent[below(index + 1)] ?? []) : []
      for (const events of [again, batch]) {
        const rows = events.filter(isVersion)
        // A stop before the commit, and a resume.
        if (below(4) === 0 && index > 0) await rollBackRows(database, writer, rows)
        if (rows.length > 0) await writeRows(database, writer, rows)
        await deleteRows(database, definition, events.filter(isDeletion))
      }
    }
    expect({ seed, lines: await stored(database, definition.name) }).toEqual({ seed, lines: expected(log) })
  }
})

test('two writers that split one version at once split it one after the other', async () => {
  await using target = await testDatabase()
  const { database } = target
  const definition = table({ name: 't.both', write: 'history', versionBy: 'at' })
  const writers = await Promise.all(
    ['1', '2'].map(async (id) => openTableWriter(database, definition, { slice: { id, pipeline: 'p', stream: 's' } })),
  )
  const [one, other] = writers as [TableWriter, TableWriter]
  await writeRows(database, one, [{ id: 1, minute: 0, name: 'a' }])
  const late = await openTableWriter(database, definition, { slice: { id: '2', pipeline: 'p', stream: 's' } })
  expect(other.exists).toBe(false)
  await using transaction = await database.transaction()
  const encoded = one.encode(page([{ id: 1, at: at(5), name: 'b' }]))
  if (encoded instanceof NeedsSchemaChange) throw new Error('the table has all columns')
  await one.write(transaction, [encoded])
  const state = { isOver: false }
  const second = writeRows(database, late, [{ id: 1, minute: 9, name: 'c' }]).finally(() => (state.isOver = true))
  let waits: unknown[] = []
  while (waits.length === 0 && !state.isOver)
    waits = await database.query('select locktype from pg_locks where not granted')
  // Not a lock of a row, which it would get when the version that it splits has been ended.
  expect(waits).toEqual([{ locktype: 'advisory' }])
  // Readers and VACUUM are not held up.
  expect(await database.query('select name from t.both')).toEqual([{ name: 'a' }])
  await database.query('vacuum t.both')
  await transaction.commit()
  await second
  expect(await stored(database, 't.both')).toEqual(['1 0..5 a', '1 5..9 b', '1 9.. c'])
})
