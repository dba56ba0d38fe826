import { isDeepStrictEqual } from 'node:util'
import { BrokenPromise } from './broken-promise.ts'
import { covered } from './coverage.ts'
import { isUnstorable } from './records.ts'
import type { Rig } from './rig.ts'
import type { Ended } from './sluice.ts'
import { alone, count, leftovers, rejects, rows, slices, versions, type Row, type StoredSlice } from './stored.ts'

const STREAMS = ['items', 'notes'] as const

export interface SurviveOptions {
  /** `--batch-rows` of the runs that follow: other batches than the killed run's make other transactions. */
  readonly batchRows?: number
  /** Runs that may fail before one succeeds, where the API or the database is the one that fails. @default 0 */
  readonly failures?: number
}

/**
 * Run to the end after whatever has happened, then prove that nothing was lost and nothing doubled, and that a further
 * run changes nothing.
 */
export async function survives(rig: Rig, { batchRows, failures = 0 }: SurviveOptions = {}): Promise<void> {
  await alone(rig.direct)
  const after = await slices(rig.direct)
  const stored = new Map(
    await Promise.all(STREAMS.map(async (stream) => [stream, await count(rig.direct, stream)] as const)),
  )
  const served = rig.api.log.length
  prefix(rig, after, 'after the kill')
  await toTheEnd(rig, failures, batchRows)
  // A merge or a history that restarts keeps its stored rows, but counts from zero.
  const isRestarted =
    rig.write === 'merge' || rig.write === 'mirror' || rig.write === 'history'
      ? (await slices(rig.direct)).filter(({ id, started_by: now }) =>
          after.some((before) => before.id === id && before.started_by !== now),
        )
      : []
  rig.uncounted = new Map([
    ...rig.uncounted,
    ...isRestarted.map(({ stream }) => [stream, stored.get(stream)!] as const),
  ])
  await complete(rig, 'after the next run')
  const ended = await slices(rig.direct)
  prefix(rig, ended, 'after the next run')
  if (failures === 0) resumed(rig, after, ended, served)
  await furtherRun(rig)
}

/** After any successful run: the tables are the source, row by row, and the ledger says how they came to be so. */
export async function complete(rig: Rig, when: string): Promise<void> {
  await sameAsSource(rig, when)
  const left = await leftovers(rig.direct)
  if (left.length > 0) throw new BrokenPromise(`${when}: tables are left behind: ${left.join(', ')}`)
  const all = await slices(rig.direct)
  const kept = await rejects(rig.direct)
  for (const slice of all) {
    const {
      id,
      stream,
      status,
      fetched,
      expanded,
      inserted,
      updated,
      unchanged,
      filtered,
      duplicate,
      deleted,
      rejected,
    } = slice
    if (status === 'open')
      throw new BrokenPromise(`${when}: slice ${id} of ${stream} is still open, though the run succeeded`)
    if (fetched + expanded !== inserted + updated + unchanged + filtered + duplicate + deleted + rejected)
      throw new BrokenPromise(
        `${when}: the counts of slice ${id} of ${stream} do not balance: ${JSON.stringify(slice)}`,
      )
    if ((kept.get(id) ?? 0) !== rejected)
      throw new BrokenPromise(
        `${when}: slice ${id} of ${stream} counts ${rejected} rejects, and ${kept.get(id) ?? 0} are kept`,
      )
  }
  for (const stream of STREAMS) {
    const mine = all.filter((slice) => slice.stream === stream)
    const grown = mine.reduce(
      (sum, { inserted, ...slice }) =>
        sum + (rig.write === 'replace' ? slice.swap_inserted : inserted) - slice.swap_deleted,
      0,
    )
    const stored = await count(rig.direct, stream)
    const uncounted = rig.uncounted.get(stream) ?? 0
    if (grown !== stored - uncounted)
      throw new BrokenPromise(
        `${when}, ${stream}: inserted − deleted is ${grown}, but the table has grown by ${stored - uncounted}`,
      )
  }
}

/** Once more: nothing has changed in the source, so nothing may change in the tables. */
export async function furtherRun(rig: Rig): Promise<void> {
  const before = await Promise.all(STREAMS.map((stream) => versions(rig.direct, stream)))
  const known = new Set((await slices(rig.direct)).map(({ id }) => id))
  const served = rig.api.log.length
  succeeded(await rig.again(), 'a further run')
  const fresh = (await slices(rig.direct)).filter(({ id }) => !known.has(id))
  for (const [at, stream] of STREAMS.entries()) {
    const mine = fresh.filter((slice) => slice.stream === stream)
    if (mine.length !== 1) throw new BrokenPromise(`a further run made ${mine.length} slices of ${stream}`)
    const [slice] = mine as [StoredSlice]
    const written =
      rig.write === 'replace'
        ? slice.swap_inserted + slice.swap_updated + slice.swap_deleted
        : slice.inserted + slice.updated + slice.swap_deleted
    if (written > 0)
      throw new BrokenPromise(`a further run wrote ${written} rows of ${stream}: ${JSON.stringify(slice)}`)
    if ((await versions(rig.direct, stream)) !== before[at])
      throw new BrokenPromise(`a further run has touched rows of ${stream}`)
    const records = rig.api.served(stream, served).reduce((sum, answer) => sum + answer.records, 0)
    if (slice.fetched !== records)
      throw new BrokenPromise(`a further run fetched ${slice.fetched} of ${stream}, but the API served ${records}`)
  }
  await complete(rig, 'after a further run')
}

/**
 * What is committed is a prefix of what was served: the counts are those of the answers that the position covers, no
 * more, no fewer.
 */
function prefix(rig: Rig, all: readonly StoredSlice[], when: string): void {
  for (const stream of STREAMS) {
    const slice = all.find((slice) => slice.stream === stream && slice.status !== 'closed')
    if (!slice) continue
    const { fetched, parents, missing } = covered(stream, slice.position, rig.api)
    const place = `${when}, ${stream} at ${JSON.stringify(slice.position)} (batch ${slice.seq})`
    if (missing.length > 0)
      throw new BrokenPromise(`${place}: committed as read, but never served: ${missing.join(', ')}`)
    if (slice.fetched !== fetched)
      throw new BrokenPromise(
        `${place}: fetched is ${slice.fetched}, but the answers that it covers held ${fetched} records`,
      )
    if (stream === 'notes' && slice.parents !== parents)
      throw new BrokenPromise(`${place}: parents is ${slice.parents}, but the answers that it covers held ${parents}`)
  }
}

/** Throws unless the resumed run has committed exactly the records that it was served. */
function resumed(rig: Rig, before: readonly StoredSlice[], after: readonly StoredSlice[], served: number): void {
  for (const stream of STREAMS) {
    const sum = (all: readonly StoredSlice[]): number =>
      all.filter((slice) => slice.stream === stream).reduce((fetched, slice) => fetched + slice.fetched, 0)
    const records = rig.api.served(stream, served).reduce((all, answer) => all + answer.records, 0)
    // The records that a restarted slice had read before do not count.
    const grown =
      sum(after) -
      sum(
        before.filter(
          ({ id, started_by: then }) => !after.some((slice) => slice.id === id && slice.started_by !== then),
        ),
      )
    if (grown !== records)
      throw new BrokenPromise(`${stream}: the run that went on was served ${records} records and counts ${grown}`)
  }
}

async function toTheEnd(rig: Rig, failures: number, batchRows: number | undefined): Promise<void> {
  for (let failed = 0; ; failed++) {
    const ended = await rig.again(batchRows)
    if (ended.code === 0 || failed >= failures) return succeeded(ended, 'the run after it')
  }
}

export function succeeded({ code, signal, stdout, stderr }: Ended, what: string): void {
  if (code !== 0)
    throw new BrokenPromise(
      `${what} ended with ${signal ?? `exit code ${code}`}:\n${stderr.slice(-3_000)}${stdout.slice(-3_000)}`,
    )
}

async function sameAsSource({ direct, data }: Rig, when: string): Promise<void> {
  const items = data.items
    .filter((item) => !isUnstorable(item))
    .map(({ id, name, amount, updated, note }): Row => [id, name, String(amount), updated, note ?? null])
  const notes = [...data.notes.values()]
    .flat()
    .filter((note) => !isUnstorable(note))
    .map(({ id, folderId, text, stars, updated }): Row => [id, folderId, text, String(stars), updated])
  same(`${when}, items`, items, await rows(direct, 'items'))
  same(`${when}, notes`, notes, await rows(direct, 'notes'))
}

function same(what: string, expected: readonly Row[], stored: readonly Row[]): void {
  const sorted = expected.toSorted((a, b) => Number(a[0]) - Number(b[0]))
  if (isDeepStrictEqual(sorted, stored)) return
  const counts = new Map<unknown, number>()
  for (const [id] of stored) counts.set(id, (counts.get(id) ?? 0) + 1)
  const doubled = [...counts].filter(([, count]) => count > 1).map(([id]) => id)
  const lost = sorted.filter(([id]) => !counts.has(id)).map(([id]) => id)
  const different = sorted.filter(
    (row) =>
      counts.get(row[0]) === 1 &&
      !isDeepStrictEqual(
        row,
        stored.find(([id]) => id === row[0]),
      ),
  )
  const [wrong] = different
  const found = wrong && stored.find(([id]) => id === wrong[0])
  const example = wrong ? `; ${JSON.stringify(wrong)} is stored as ${JSON.stringify(found)}` : ''
  throw new BrokenPromise(
    `${what}: not as in the source: ${sorted.length} rows expected, ${stored.length} stored; lost ${some(lost)}, ` +
      `doubled ${some(doubled)}, different ${some(different.map(([id]) => id))}${example}`,
  )
}

const some = (ids: readonly unknown[]): string =>
  `${ids.length}${ids.length > 0 ? ` (${ids.slice(0, 5).join(', ')}${ids.length > 5 ? ', …' : ''})` : ''}`
