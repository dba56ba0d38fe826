// One round: a table by seed, two readings of poisoned documents through the whole of a run, and the comparison of what
// the database holds then with what was sent.
import type { Database } from '../../src/database/database.ts'
import { byCursor, http, pipeline, run, type TableOptions } from '../../src/index.ts'
import type { StreamReport } from '../../src/model/report.ts'
import { apiServer } from '../support/api-server.ts'
import { checkRejects, readRejects } from './check-rejects.ts'
import { checkLists, checkRows, tableState, type Expected } from './check-rows.ts'
import { documentText, isMirror, keyText, planOf, type Document, type Mode, type Plan } from './documents.ts'
import { readJson, type Value } from './read-json.ts'
import { bytesOf, Draw } from './values.ts'

export interface RoundOptions {
  readonly database: Database
  readonly url: string
  readonly mode: Mode
  readonly seed: number
  /** Documents of the first reading. */
  readonly documents: number
}

export interface Outcome {
  readonly plan: Plan
  /** Documents that were sent. */
  readonly sent: number
  readonly stored: number
  readonly reasons: readonly string[]
  /** What was changed in silence, lost or doubled. */
  readonly problems: readonly string[]
}

export async function tryRound({ database, url, mode, seed, documents }: RoundOptions): Promise<Outcome> {
  const random = new Draw(seed)
  const plan = planOf(mode, random)
  const table = `poison.t${seed}` as const
  let pages: readonly Buffer[] = []
  await using api = await apiServer(({ query }) => ({
    body: pages[Number(query.get('after') ?? 0)] ?? '',
    headers: { 'content-type': 'application/json' },
  }))
  const items = http(api.origin, { attempts: 1 })
    .get<{ items: unknown[]; next: string | null }>('/items')
    .pages(byCursor('after', 'next'))
    .records('items')
  const flow = pipeline(`poison${seed}`, { streams: { items: items.into(table, optionsOf(plan)) } })
  const expected: Expected = { now: new Map(), ever: new Map() }
  const keys = new Map<number, string | undefined>()
  const problems: string[] = []
  const reasons: string[] = []
  let sent = 0
  let previous = new Map<number, Document>()
  for (const reading of [0, 1]) {
    const current = documentsOf(plan, { reading, documents, keys, previous, random })
    pages = pagesOf([...current.values()], random)
    const report = await run(flow, {
      database: url,
      throwOnFailure: false,
      batch: { rows: random.pick([100, 1_000, 10_000]) },
    })
    const { items: stream } = report.streams
    sent += current.size
    const rejects = await readRejects(database, report.run)
    reasons.push(...rejects.map(({ stage, reason }) => `${stage}: ${reason}`))
    problems.push(...checkRejects(rejects, current))
    const state = await tableState(database, table, plan)
    if (stream.status !== 'done') {
      const isMeant = plan.hasClash && /would both be the column/.test(stream.error ?? '')
      if (!isMeant) problems.push(`the stream failed: ${stream.error}`)
      // What was committed before has to be right nevertheless.
      for (const [n, document] of current) expected.ever.set(n, [...(expected.ever.get(n) ?? []), document])
      problems.push(...checkRows(state, expected, { plan, isPart: true }))
      break
    }
    if (plan.hasClash) problems.push('two fields had one column, and the stream did not fail')
    noteExpected(expected, { plan, current, rejected: new Set(rejects.map(({ n }) => n)), stream })
    problems.push(...checkCounts(stream, { sent: current.size, rejected: rejects.length }))
    problems.push(...checkRows(state, expected, { plan, isPart: false }))
    if (mode === 'nested')
      for (const list of ['lines', 'items'] as const)
        problems.push(...(await checkLists(database, { table, list, plan, expected })))
    previous = current
  }
  const stored = expected.now.size
  await database.query(`drop schema if exists poison cascade`)
  return { plan, sent, stored, reasons, problems: problems.map((problem) => `${table}: ${problem}`) }
}

function optionsOf({ mode, key, declared, readsEmptyAsNull }: Plan): TableOptions<unknown, 'merge'> {
  const [write] = mode.split(' ')
  const options = {
    write: write === 'nested' || mode === 'mirror' ? 'merge' : write,
    maxRejects: 1_000_000,
    columns: declared,
    ...(key !== 'none' && { key: 'id' }),
    ...(readsEmptyAsNull && { emptyText: 'null' }),
    ...(isMirror(mode) && { mirror: true, mostDeletes: '100%' }),
    ...(mode === 'nested' && {
      flatten: { address: true },
      children: { lines: { parentKey: 'parent' }, items: { key: 'k', parentKey: 'parent' } },
    }),
  }
  return options as unknown as TableOptions<unknown, 'merge'>
}

/**
 * Returns the documents of a reading. The second one has documents as they were, others with new values, and new ones;
 * some are gone. Where nothing tells that a document was stored before, all are new.
 */
function documentsOf(
  plan: Plan,
  {
    reading,
    documents,
    keys,
    previous,
    random,
  }: {
    readonly reading: number
    readonly documents: number
    readonly keys: Map<number, string | undefined>
    readonly previous: ReadonlyMap<number, Document>
    readonly random: Draw
  },
): Map<number, Document> {
  const current = new Map<number, Document>()
  const add = (n: number): void => {
    if (!keys.has(n)) keys.set(n, keyText(plan, n, random))
    const text = documentText(plan, n, keys.get(n), random)
    current.set(n, { text, members: readJson(text) as Map<string, Value> })
  }
  const isAppended = plan.mode.startsWith('append')
  for (const [n, document] of previous) {
    if (isAppended || random.chance(0.1)) continue
    if (random.chance(0.5)) current.set(n, document)
    else add(n)
  }
  const first = reading * documents + 1
  const added = reading === 0 || isAppended ? documents : documents / 10
  for (let n = first; n < first + added; n += 1) add(n)
  return current
}

/** Puts documents into pages of different sizes, some with a byte order mark. */
function pagesOf(documents: readonly Document[], random: Draw): Buffer[] {
  const pages: Buffer[] = []
  for (let from = 0; from === 0 || from < documents.length;) {
    const to = from + random.pick([1, 20, 100, 400, 1_000])
    const next = to < documents.length ? `"${pages.length + 1}"` : 'null'
    const texts = documents.slice(from, to).map(({ text }) => text)
    pages.push(bytesOf(`${random.chance(0.1) ? '\ufeff' : ''}{"items":[${texts.join(',')}],"next":${next}}`))
    from = to
  }
  return pages
}

/** Notes what the table should hold after a reading. */
function noteExpected(
  { now, ever }: Expected,
  {
    plan,
    current,
    rejected,
    stream,
  }: {
    readonly plan: Plan
    readonly current: ReadonlyMap<number, Document>
    readonly rejected: ReadonlySet<number>
    readonly stream: StreamReport
  },
): void {
  const isReplaced = plan.mode.startsWith('replace')
  const isMirrored = isMirror(plan.mode) && stream.mirroredRows !== undefined
  for (const n of now.keys()) if (isReplaced || (isMirrored && !current.has(n))) now.delete(n)
  for (const [n, document] of current) {
    if (rejected.has(n)) continue
    now.set(n, document)
    ever.set(n, [...(ever.get(n) ?? []), document])
  }
}

function checkCounts(
  { counts }: StreamReport,
  { sent, rejected }: { readonly sent: number; readonly rejected: number },
): string[] {
  const { fetched, inserted, updated, unchanged } = counts
  const isRight =
    fetched === sent && counts.rejected === rejected && fetched === inserted + updated + unchanged + rejected
  return isRight ? [] : [`${sent} were sent and ${rejected} rejected, and the counts are ${JSON.stringify(counts)}`]
}
