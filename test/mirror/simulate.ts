// Readings of a mirror by seed: what the source has throughout a reading is never deleted, and what was gone before a
// complete reading began is gone from the table when it ends.
import { pipeline, source, TooManyDeletesError, type ReadContext, type Report } from '../../src/index.ts'
import { backfillPipeline } from '../../src/run/backfill/backfill-pipeline.ts'
import { runPipeline } from '../../src/run/run-pipeline.ts'
import { Random } from '../moving/random.ts'
import type { TestDatabase } from '../support/database.ts'
import { existedThroughout, wasGoneThroughout, World, type Item } from './world.ts'

interface Scenario {
  readonly records: number
  readonly page: number
  readonly batchRows: number
  /** The probability that a reading breaks off behind a page. */
  readonly breaks: number
  readonly open: number
  readonly unrest: number
  readonly isIncremental: boolean
  readonly hasRejects: boolean
  readonly hasStage: boolean
  readonly hasLists: boolean
  readonly hasTexts: boolean
  readonly marks: boolean
  readonly isLimited: boolean
  /** Windows of a backfill are read while the stream is, and rows are written by hand. */
  readonly hasOthers: boolean
  readonly runs: number
}

function scenarioOf(random: Random): Scenario {
  const isIncremental = random.chance(0.4)
  return {
    records: random.between(0, 25),
    page: random.between(1, 5),
    batchRows: random.between(1, 6),
    breaks: random.pick([0, 0.1, 0.25, 0.4]),
    open: random.pick([0, 0, 0.1]),
    unrest: random.between(1, 4),
    isIncremental,
    hasRejects: random.chance(0.3),
    hasStage: random.chance(0.3),
    hasLists: random.chance(0.3),
    hasTexts: random.chance(0.1),
    marks: random.chance(0.25),
    isLimited: random.chance(0.25),
    hasOthers: random.chance(0.4),
    runs: random.between(3, 5),
  }
}

export interface Outcome {
  readonly scenario: Scenario
  readonly log: readonly string[]
  /** What is wrong; undefined if all is right. */
  readonly problem: string | undefined
}

/** Rows that the table has, by the key: `null` if the row is marked as deleted. */
type Rows = ReadonlyMap<string, 'there' | 'marked'>

/** Runs what a seed stands for, in a schema of its own. */
export async function trySeed(seed: number, target: TestDatabase): Promise<Outcome> {
  const random = new Random(seed)
  const scenario = scenarioOf(random)
  const one = new Simulation(seed, scenario, random, target)
  let problem: string | undefined
  try {
    problem = await one.run()
  } catch (error) {
    problem = error instanceof Error ? (error.stack ?? error.message) : String(error)
  }
  return { scenario, log: one.log, problem }
}

class Simulation {
  readonly log: string[] = []
  readonly #scenario: Scenario
  readonly #random: Random
  readonly #target: TestDatabase
  readonly #world: World
  readonly #schema: string
  /** Ticks of the reading that is not done. */
  #from = 0
  /** Keys that were written by others since the reading began, with the tick. */
  #others = new Map<string, number>()
  #isOpen = false
  #isBroken = false
  #mayBreak = true
  #isNested = false

  constructor(seed: number, scenario: Scenario, random: Random, target: TestDatabase) {
    this.#scenario = scenario
    this.#random = random
    this.#target = target
    this.#world = new World(random, scenario)
    this.#schema = `sim${seed}`
  }

  async run(): Promise<string | undefined> {
    const { runs, isLimited } = this.#scenario
    for (let run = 1; run <= runs + 2; run++) {
      // The last two runs read a list at rest: the first of them may resume an older reading.
      const isLast = run > runs
      this.#mayBreak = !isLast
      this.#world.isAtRest = isLast
      if (!isLast) this.#world.step(6)
      // A run that reads everything anew resumes nothing.
      const full = run === runs + 2 || this.#random.chance(this.#isBroken ? 0.2 : 0.6)
      const problem = await this.#runOnce(run, { full, mostDeletes: isLast || !isLimited ? '100%' : undefined })
      if (problem !== undefined) return `run ${run}: ${problem}`
    }
    return this.#atRest()
  }

  async #runOnce(
    run: number,
    { full, mostDeletes }: { full: boolean; mostDeletes: '100%' | undefined },
  ): Promise<string | undefined> {
    const before = await this.#rows()
    const errors: unknown[] = []
    const report = await runPipeline(this.#flow(), {
      database: this.#target.url,
      full,
      batch: { rows: this.#scenario.batchRows },
      onStreamError: (_, error) => errors.push(error),
      ...(mostDeletes && { mostDeletes }),
    })
    const { items } = report.streams
    this.#isBroken = errors.some(isBreak)
    const after = await this.#rows()
    const vanished = [...before].flatMap(([key, state]) =>
      state === 'there' && after.get(key) !== 'there' ? [key] : [],
    )
    const to = this.#world.tick
    const flags = `${full ? ' --full' : ''}${items?.resumed ? ' resumed' : ''}`
    const said = [...(items?.warnings ?? []), ...(items?.error === undefined ? [] : [items.error])]
    this.log.push(
      `run ${run}${flags}: ${items?.status} ${items?.completeness?.grade ?? ''}, ticks ${this.#from} to ${to}, ` +
        `mirrored ${items?.mirroredRows}, vanished ${vanished.join(' ')}; ${said.join('; ')}`,
    )
    const known = errors.every((error) => error instanceof TooManyDeletesError || isBreak(error))
    if (!known) throw errors[0]
    return this.#judge(report, { before, after, vanished, to })
  }

  #judge(
    report: Report,
    { before, after, vanished, to }: { before: Rows; after: Rows; vanished: readonly string[]; to: number },
  ): string | undefined {
    const items = report.streams['items']
    const wasMirrored = items?.mirroredRows !== undefined
    if (vanished.length > 0 && !wasMirrored) return `${vanished.join(', ')} vanished, though nothing was mirrored`
    if (!wasMirrored) return undefined
    if (items.completeness?.grade === 'open') return `an open reading has mirrored`
    // Behind the reading of everything, the same run reads on from the cursor: a row may come back at once.
    const isExact = !this.#scenario.isIncremental
    if (items.mirroredRows < vanished.length || (isExact && items.mirroredRows > vanished.length))
      return `${items.mirroredRows} rows were mirrored, and ${vanished.length} vanished: ${vanished.join(', ')}`
    for (const record of this.#world.records) {
      const key = String(record.item.id)
      const state = after.get(key)
      if (vanished.includes(key) && existedThroughout(record, this.#from, to))
        return `${key} was deleted, and the source has it from tick ${this.#from} to ${to}`
      const written = this.#others.get(key)
      if (vanished.includes(key) && written !== undefined && existedThroughout(record, written, to))
        return `${key} was deleted, and a backfill has brought it at tick ${written}`
      if (state === 'there' && before.has(key) && written === undefined && wasGoneThroughout(record, this.#from, to))
        return `${key} is there, and the source did not have it from tick ${this.#from} to ${to}`
    }
    for (const key of vanished) if (this.#others.get(key) === -1) return `${key} was written by hand, and deleted`
    return undefined
  }

  /** The table has what the source has, and records that could never be stored are missing. */
  async #atRest(): Promise<string | undefined> {
    const rows = await this.#rows()
    const source = new Map(this.#world.after(-1).map(({ item }) => [String(item.id), item]))
    const extra = [...rows].flatMap(([key, state]) => (state === 'there' && !source.has(key) ? [key] : []))
    if (extra.length > 0) return `after a reading at rest, ${extra.join(', ')} are left`
    const lost = [...source].flatMap(([key, { n }]) =>
      typeof n === 'number' && rows.get(key) !== 'there' ? [key] : [],
    )
    if (lost.length > 0) return `after a reading at rest, ${lost.join(', ')} are missing`
    if (!this.#scenario.hasLists || rows.size === 0) return undefined
    const orphans = await this.#query(
      `select 1 from ${this.#schema}.items_lines as l
        where not exists (select from ${this.#schema}.items as i where i.id::text = l.items_id::text)`,
    ).catch(() => [])
    return orphans.length > 0 ? `${orphans.length} entries of lists have no row` : undefined
  }

  async #rows(): Promise<Rows> {
    const mark = this.#scenario.marks ? `to_jsonb(i) ->> '_deleted_at'` : 'null'
    const rows = await this.#query<{ id: string; mark: string | null }>(
      `select i.id::text as id, ${mark} as mark from ${this.#schema}.items as i`,
    ).catch(() => [])
    return new Map(rows.map(({ id, mark }) => [id, mark === null ? 'there' : 'marked']))
  }

  async #query<Row extends object>(sql: string): Promise<Row[]> {
    return this.#target.database.query<Row>(sql)
  }

  #flow() {
    const { isIncremental, hasStage, marks, hasLists } = this.#scenario
    const read = this.#read.bind(this)
    const items = source<Item>(read)
    const timed = isIncremental ? items.incremental('at', { lookback: 0 }) : items
    const staged = hasStage
      ? timed.map((item) => {
          if (item.n === 'bad') throw new TypeError('a bad record')
          return { ...item }
        })
      : timed
    const flow = staged.into(`${this.#schema}.items`, {
      key: 'id',
      mirror: true,
      maxRejects: 10_000,
      columns: { n: 'integer' as never, ...(hasLists ? {} : { lines: false }) },
      ...(marks && { deleted: 'mark' as const }),
      ...(hasLists && { children: { lines: { key: 'line' } } }),
    })
    return pipeline(this.#schema, { streams: { items: flow } })
  }

  async *#read({ since, until, position }: ReadContext) {
    const { page, breaks, open } = this.#scenario
    const isNested = this.#isNested
    // Behind a reading of everything, a run reads on from its cursor.
    if (position === undefined && since === undefined && !isNested) {
      this.#from = this.#world.tick
      this.#others = new Map()
      this.#isOpen = this.#random.chance(this.#mayBreak ? open : 0)
    }
    for (let place = typeof position === 'number' ? position : -1; ;) {
      if (!isNested) await this.#beside()
      const next = this.#world
        .after(place)
        .filter(({ item }) => (since === undefined || item.at >= since) && (until === undefined || item.at < until))
        .slice(0, page)
      const last = next.at(-1)
      if (!last) return
      place = last.place
      if (isNested) for (const { item } of next) this.#others.set(String(item.id), this.#world.tick)
      yield {
        records: next.map(({ item }) => item),
        position: place,
        ...(this.#isOpen && !isNested && { complete: { open: 'the source says so' } }),
      }
      if (!isNested && this.#mayBreak && this.#random.chance(breaks)) throw new Error(BREAK)
    }
  }

  /** What happens before a page is read: records change, and others write. */
  async #beside(): Promise<void> {
    const { hasOthers, isIncremental, hasRejects, hasTexts } = this.#scenario
    this.#world.step()
    if (!hasOthers || this.#world.isAtRest || !this.#random.chance(0.2)) return
    const id = 900_000 + this.#world.tick
    if (this.#random.chance(0.5)) {
      const inserted = await this.#query(`insert into ${this.#schema}.items (id) values (${id}) returning 1`).catch(
        () => [],
      )
      if (inserted.length > 0) this.#others.set(String(id), -1)
      return
    }
    if (!isIncremental || hasRejects || hasTexts) return
    this.#isNested = true
    await backfillPipeline(this.#flow(), {
      database: this.#target.url,
      from: '2024-01-01',
      to: '2024-01-03',
      window: '1d',
      concurrency: 1,
    })
    this.#isNested = false
    this.log.push(`backfill at tick ${this.#world.tick}`)
  }
}

const BREAK = 'the source broke off'
const isBreak = (error: unknown): boolean => error instanceof Error && error.message.includes(BREAK)
