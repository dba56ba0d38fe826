// The runs of one seed: syncs, backfills and replays over an API that changes, interrupted and resumed. After each one,
// the table must hold what was committed; after a complete reading of an API at rest, it must equal that API.
import type { ReadContext, Report, StreamReport } from '../../src/index.ts'
import type { Database } from '../../src/database/database.ts'
import { readRejects } from '../../src/ledger/read/read-rejects.ts'
import { backfillPipeline } from '../../src/run/backfill/backfill-pipeline.ts'
import { replay } from '../../src/run/replay/replay.ts'
import { runPipeline } from '../../src/run/run-pipeline.ts'
import type { Random } from '../moving/random.ts'
import { ChangingApi, DAYS, isBad, nameOf, type Sent } from './changing-api.ts'
import type { Expected, How } from './expected.ts'
import { Fuse } from './fuses.ts'
import { begun, flowOf, reportLine, type Begin, type Running, type SentPage } from './running.ts'
import { interruptionOf, keepsHistory, mirrors, type Scenario } from './scenario.ts'
import type { PlaceOf } from './source-log.ts'
import { lostProblem, readStored, type Stored } from './stored.ts'

export interface Target {
  readonly url: string
  /** Prepared by `installFuses`. */
  readonly database: Database
}

export interface SimulationOptions {
  readonly scenario: Scenario
  readonly random: Random
  readonly target: Target
  readonly expected: Expected
}

const BREAK = 'the source broke off'

/** Changes before and during one run. */
const MOST_CHANGES = 20

/** Runs until one ends that nothing has interrupted: the session of a dead run may live for a moment. */
const MAX_TRIES = 40

/** The runs of one seed, in a schema of its own. */
export class Simulation {
  readonly log: readonly string[]
  runs = 0
  readonly #scenario: Scenario
  readonly #random: Random
  readonly #target: Target
  readonly #api: ChangingApi
  readonly #expected: Expected
  readonly #schema: string
  readonly #fuse: Fuse
  #serial = 0
  /** That of the last run. */
  #report: StreamReport | undefined
  /** What was wrong with a run beside another one. */
  #besideProblem: string | undefined
  #hasTable = false
  /** The range and the windows of the last backfill, which may have to go on. */
  #backfill = { to: '', window: '' }

  constructor(seed: number, { scenario, random, target, expected }: SimulationOptions) {
    this.#scenario = scenario
    this.#random = random
    this.#target = target
    this.#api = new ChangingApi(scenario, random)
    this.#expected = expected
    this.#schema = `c${seed}`
    this.#fuse = new Fuse(target.database, this.#schema)
    this.log = this.#api.log
  }

  async run(): Promise<string | undefined> {
    const { runs, hasRejects, hasBackfills } = this.#scenario
    for (let run = 1; run <= runs; run++) {
      this.#api.changesLeft = MOST_CHANGES
      this.#api.step(6)
      const isBroken = hasRejects && this.#random.chance(0.6)
      const interruption = interruptionOf(this.#scenario, this.#random)
      const begin = { isBroken, interruption }
      const name = `run ${run}`
      const kind = this.#random.pick(['sync', 'sync', 'sync', 'replay', 'backfill'] as const)
      const full = this.#random.chance(0.4)
      let problem: string | undefined
      if (kind === 'replay' && hasRejects) problem = await this.#replay({ ...begin, name: `${name}, a replay` })
      else if (kind === 'backfill' && hasBackfills)
        problem = await this.#readWindows({ ...begin, name: `${name}, a backfill` })
      else problem = await this.#sync({ ...begin, name }, full)
      if (problem !== undefined) return `${name}: ${problem}`
    }
    return this.#rest()
  }

  /** The API rests, and nothing is rejected any more. */
  async #rest(): Promise<string | undefined> {
    this.#api.isAtRest = true
    const problem =
      (await this.#syncToEnd('at rest', false)) ??
      (await this.#replay({ name: 'a replay at rest' })) ??
      lostProblem(this.#scenario, await this.#stored(), this.#api.records) ??
      (await this.#syncToEnd('the last reading', true)) ??
      (await this.#checkAtRest('after the last reading'))
    if (problem !== undefined) return problem
    // A mirror cannot know that the record of a reject is gone: the next reading deletes its row.
    if (mirrors(this.#scenario) && !this.#scenario.announces) return undefined
    const replayed = await this.#replay({ name: 'a replay after the last reading' })
    return replayed ?? (await this.#checkAtRest('after a replay behind the last reading')) ?? this.#readAgain()
  }

  /** What was read before changes nothing. */
  async #readAgain(): Promise<string | undefined> {
    if (this.#random.chance(0.7)) return undefined
    const problem = await this.#syncToEnd('another reading', true)
    if (problem !== undefined) return problem
    const { counts, children = {} } = this.#report ?? {}
    const written = [counts, ...Object.values(children)].some((one) => one && one.inserted + one.updated > 0)
    return written ? `a reading of what was read before has written rows: ${this.log.at(-1)}` : undefined
  }

  async #syncToEnd(name: string, full: boolean): Promise<string | undefined> {
    for (let tries = 1; tries <= MAX_TRIES; tries++) {
      const running = begun({ name })
      const problem = await this.#sync(running, full)
      if (problem !== undefined) return problem
      if (this.#report?.status === 'done') return undefined
      await new Promise((resolve) => setTimeout(resolve, 25))
    }
    return `${name} did not end: ${this.log.at(-1)}`
  }

  async #sync(begin: Begin, full: boolean): Promise<string | undefined> {
    const running = begun({ ...begin, name: `${begin.name}${full ? ' --full' : ''}` })
    const problem = await this.#go(running, () =>
      runPipeline(this.#flow(running), {
        ...this.#options(running),
        full,
        batch: { rows: this.#scenario.batchRows },
        ...(mirrors(this.#scenario) && { mostDeletes: '100%' }),
      }),
    )
    return problem ?? this.#check(running)
  }

  async #readWindows(begin: Begin): Promise<string | undefined> {
    const running = begun(begin)
    // The same range again goes on with the windows that are left.
    if (this.#backfill.to === '' || this.#random.chance(0.6))
      this.#backfill = {
        to: `2024-01-0${this.#random.between(2, DAYS)}`,
        window: this.#random.pick(['1d', '2d', '3d']),
      }
    const only = this.#random.chance(0.3) ? ({ only: 'all' } as const) : {}
    // Without the limit, half of the mirrored windows would be refused: the tables are small.
    const most = mirrors(this.#scenario) && this.#random.chance(0.7) ? ({ mostDeletes: '100%' } as const) : {}
    const problem = await this.#go(running, () =>
      backfillPipeline(this.#flow(running), {
        ...this.#options(running),
        ...this.#backfill,
        ...only,
        ...most,
        from: '2024-01-01',
        batch: { rows: this.#scenario.batchRows },
        concurrency: 1,
      }),
    )
    return problem ?? this.#check(running)
  }

  async #replay(begin: Begin): Promise<string | undefined> {
    const { database } = this.#target
    const open = await readRejects(database, { pipeline: this.#schema, limit: 1_000 })
    if (open.length === 0) return undefined
    const running = begun({ ...begin, isBroken: false })
    const problem = await this.#go(running, () => replay(this.#flow(running), this.#options(running)))
    if (problem !== undefined) return problem
    const stored = await database.query<{ id: string }>(
      `select id::text from sluice.rejects where id = any ($1::bigint[]) and settlement = 'replayed'`,
      [open.map(({ id }) => id)],
    )
    const left = await readRejects(database, { pipeline: this.#schema, limit: 1_000 })
    for (const { record } of open.filter(({ id }) => stored.some((one) => one.id === id))) {
      const state = this.#api.stateOf(JSON.parse(record) as Sent)
      // A deletion that was rejected again waits for another replay.
      if (state.isGone && left.some((one) => one.record === record)) continue
      this.#expected.apply(state, { ...this.#how(running), isReplay: true })
    }
    return this.#check(running)
  }

  /** Runs something, and notes what it has committed. Returns why it should not have failed. */
  async #go(running: Running, start: () => Promise<Report | undefined>): Promise<string | undefined> {
    const { name, isBroken, isBeside, interruption } = running
    this.runs++
    this.#api.log.push(`${name} begins${isBroken ? ', broken' : ''}, ${JSON.stringify(interruption ?? 'to its end')}`)
    if (interruption) await this.#fuse.light(interruption)
    let said: string
    this.#report = undefined
    try {
      const report = await start()
      this.#report = report?.streams['items']
      said = reportLine(this.#report)
    } catch (error) {
      said = `failed: ${error instanceof Error ? error.message : String(error)}`
    }
    if (interruption) await this.#fuse.putOut()
    this.#api.log.push(`${name} ends, ${said}`)
    // A dead run may hold the stream for a moment, and the mirror of a window may be refused.
    const isExpected = interruption !== undefined || isBeside || /^done|^not run|is reading it|mirror may/.test(said)
    if (!isExpected) return `it has failed: ${said}`
    if (/TypeError|RangeError|Please report|another program changed/.test(said)) return said
    await this.#note(running)
    return undefined
  }

  /** Notes what a run has committed. */
  async #note(running: Running): Promise<void> {
    const committed = await running.source.committed(this.#target.database)
    if (committed.length > 0) this.#api.log.push(`${running.name} has committed ${committed.map(nameOf).join(', ')}`)
    for (const state of committed) {
      if (running.isBroken && isBad(state)) this.#expected.reject(state)
      else this.#expected.apply(state, this.#how(running))
    }
    this.#hasTable = (await this.#stored()).hasTable
  }

  #how({ isBeside }: Running): How {
    return { isReplay: false, isBeside, hasTable: this.#hasTable }
  }

  async #check({ name, isBeside }: Running): Promise<string | undefined> {
    // Of the run around it nothing is known yet.
    if (isBeside) return undefined
    if (this.#besideProblem !== undefined) return this.#besideProblem
    const problem = this.#expected.problem(await this.#stored())
    return problem === undefined ? undefined : `after ${name}: ${problem}`
  }

  async #checkAtRest(when: string): Promise<string | undefined> {
    const problem = this.#expected.problemAtRest(await this.#stored(), this.#api.records, this.#api.past)
    return problem === undefined ? undefined : `${when}: ${problem}`
  }

  #stored(): Promise<Stored> {
    const { hasLists } = this.#scenario
    return readStored(this.#target.database, this.#schema, { isHistory: keepsHistory(this.#scenario), hasLists })
  }

  #options({ source: log, stop }: Running) {
    return {
      database: this.#target.url,
      signal: stop.signal,
      onEvent: (event: { readonly type: string; readonly slice?: string }) => {
        if (event.type === 'slice.started') log.slice = event.slice ?? ''
      },
    }
  }

  #flow(running: Running) {
    return flowOf(this.#scenario, { schema: this.#schema, running, read: (context) => this.#read(running, context) })
  }

  async *#read(
    running: Running,
    { since, until, position, signal }: ReadContext,
  ): AsyncGenerator<SentPage, void, undefined> {
    const { name, interruption, stop } = running
    const place = position as PlaceOf | undefined
    const note = running.source.begin(place)
    let behind = place && this.#api.stateOf(place)
    for (;;) {
      if (!running.isBeside) await this.#beside()
      const states = this.#api.page({ since, until }, behind)
      behind = states.at(-1)
      if (!behind) return
      const serial = ++this.#serial
      note(serial, states)
      this.#api.log.push(`${name}, page ${serial} since ${since ?? 'the start'}: ${states.map(nameOf).join(', ')}`)
      yield {
        records: states.map((state) => this.#api.sent(state)),
        position: { serial, id: behind.id, revision: behind.revision },
      }
      if (++running.pages !== interruption?.at) continue
      if (interruption.kind === 'break') throw new Error(BREAK)
      if (interruption.kind === 'abort') stop.abort(new Error('told to stop'))
      signal.throwIfAborted()
    }
  }

  /** What happens before a page: records change, and other runs of the stream work. */
  async #beside(): Promise<void> {
    this.#api.step()
    const { timing, hasRejects, hasBackfills } = this.#scenario
    if (this.#api.isAtRest || timing === 'none' || !this.#random.chance(0.1)) return
    const isBroken = hasRejects && this.#random.chance(0.5)
    const problem =
      hasBackfills && this.#random.chance(0.7)
        ? await this.#readWindows({ name: 'a backfill beside it', isBroken, isBeside: true })
        : await this.#replay({ name: 'a replay beside it', isBeside: true })
    this.#besideProblem ??= problem
  }
}
