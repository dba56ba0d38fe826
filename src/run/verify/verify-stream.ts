import type { Pipeline } from '../../define/pipeline.ts'
import type { Flow } from '../../define/flow.ts'
import { Comparison, type Differences } from '../../load/compare/comparison.ts'
import { hasFinishedSince } from '../../ledger/read/has-stored.ts'
import { withoutAccount } from '../../model/account.ts'
import { openText, worstOf, type Completeness } from '../../model/completeness.ts'
import type { DifferenceKind, DifferenceSample } from '../../model/difference.ts'
import type { RunEvent } from '../../model/event.ts'
import type { Window } from '../../model/window.ts'
import { defined } from '../../value/defined.ts'
import { problemText } from '../report/problem-text.ts'
import { extraScope, otherStreams } from './extra-scope.ts'
import { laterRecords } from './later-records.ts'
import type { Reading } from './open-reading.ts'
import type { VerifyOptions } from './options.ts'
import { readInto, type ReadIntoOptions } from './read-into.ts'
import { addRanges, emptyPlan, type RepairPlan } from './repair-plan.ts'
import {
  faultsIn,
  listFaultsIn,
  NOTHING_VERIFIED,
  type Repair,
  type StreamVerification,
  type VerifiedCounts,
  type VerifiedList,
  type VerifiedPart,
  type VerifiedWindow,
} from './verification.ts'

/** What a verification of one stream needs. */
export interface VerifyStreamOptions extends Pick<VerifyOptions, 'samples' | 'onProgress'> {
  readonly pipeline: Pipeline
  readonly stream: string
  readonly flow: Flow<unknown>
  /** The windows to read. @default all of the stream at once */
  readonly windows: readonly Window[] | undefined
  /** Puts differences right, and returns what it has done. @default they stay */
  readonly repair: ((plan: RepairPlan, comparison: Comparison, found: VerifiedPart) => Promise<Repair>) | undefined
}

const KINDS: readonly DifferenceKind[] = ['missing', 'stale', 'newer']

/**
 * Reads a stream and compares it with its table. Throws only if the signal aborts, so that other streams are compared
 * after an error of this one.
 */
export async function verifyStream(reading: Reading, options: VerifyStreamOptions): Promise<StreamVerification> {
  const { pipeline, stream, flow } = options
  const started = performance.now()
  const tally = { requests: 0, warnings: new Set<string>() }
  const onEvent = (event: RunEvent): void => {
    if (event.type === 'request.finished') tally.requests += 1
    else if (event.type === 'warning') tally.warnings.add(event.message)
  }
  const ended = (found: Found, status: StreamVerification['status'], error?: string): StreamVerification => ({
    pipeline: pipeline.name,
    stream,
    table: flow.table.name,
    status,
    ...found,
    warnings: [...tally.warnings],
    requests: tally.requests,
    ms: Math.round(performance.now() - started),
    ...(flow.table.mirror && { mirror: true }),
    ...defined({ error }),
  })
  const found: { -readonly [Name in keyof Found]: Found[Name] } = { counts: NOTHING_VERIFIED, samples: [] }
  try {
    await new StreamVerifier(reading, options, onEvent).run(found)
    const { missing = 0, stale = 0, extra = 0, lists } = found.repair ?? {}
    const left = faultsIn(found.counts) + listFaultsIn(found) - missing - stale - extra - (lists?.repaired ?? 0)
    if (left > 0) return ended(found, 'different')
    return ended(found, openText(found.completeness) === undefined ? 'equal' : 'unproven')
  } catch (error) {
    reading.signal.throwIfAborted()
    return ended(found, 'failed', reading.secrets.hide(problemText(error, `${pipeline.name}.${stream}`)))
  }
}

type Found = VerifiedPart & Pick<StreamVerification, 'windows' | 'repair'>

class StreamVerifier {
  readonly #reading: Reading
  readonly #options: VerifyStreamOptions
  readonly #onEvent: (event: RunEvent) => void

  constructor(reading: Reading, options: VerifyStreamOptions, onEvent: (event: RunEvent) => void) {
    this.#reading = reading
    this.#options = options
    this.#onEvent = onEvent
  }

  /** Puts into `found` what is known so far, also if it throws. */
  async run(found: { -readonly [Name in keyof Found]: Found[Name] }): Promise<void> {
    const { pipeline, stream, flow, windows, repair } = this.#options
    const { database, signal } = this.#reading
    const streamName = `${withoutAccount(pipeline.name)}.${stream}`
    await using comparison = await Comparison.open(database, flow.table, { streamName, lists: true, signal })
    const others = [...this.#sameTable(), ...(await otherStreams(comparison, flow.table, streamName))]
    const read = await this.#readOptions()
    const parts: VerifiedPart[] = []
    const plan = emptyPlan()
    for (const [part, window] of (windows ?? [undefined]).entries()) {
      if (part > 0) await comparison.rows.clear()
      parts.push(await this.#part(comparison, { part, window, others, read, plan }))
      Object.assign(found, this.#summary(parts))
    }
    await this.#confirmExtra(comparison, parts, read)
    Object.assign(found, this.#summary(parts))
    const { missing, stale } = found.counts
    if (repair && missing + stale + listFaultsIn(found) > 0) found.repair = await repair(plan, comparison, found)
  }

  /** Reads one part, and compares it. */
  async #part(comparison: Comparison, { part, window, others, read, plan }: PartOptions): Promise<VerifiedPart> {
    const { flow, repair, samples: limit = 3 } = this.#options
    const { recipe, table } = flow
    const range = window ? { since: window.lower, until: window.upper } : {}
    const readPart = await readInto(comparison.rows, recipe, range, read)
    for (const message of readPart.warnings) this.#onEvent({ type: 'warning', message })
    const isReplaced = await this.#isReplaced(comparison)
    const differences = await comparison.compare({ part, isReplaced })
    const { scope, unknown } = await extraScope(comparison, readPart, { recipe, table, others, window })
    const changed = await comparison.collectExtra({ part, scope })
    const samples = await comparison.samples({ part, kinds: KINDS, limit })
    const lists = await comparison.compareLists(part, limit)
    if (repair) await addRanges(plan, comparison, { recipe, part, pages: readPart.pages, window })
    const { completeness, rejected } = readPart
    const counts = countsOf(differences, { changed, rejected })
    return { counts, samples, ...defined({ completeness, extraUnknown: unknown, lists }) }
  }

  /**
   * Takes from the extra rows those whose records have moved on: a record that changes during the reading, or that has
   * changed since the last run, lies where the reading was not. It is not before the cursor.
   */
  async #confirmExtra(comparison: Comparison, parts: VerifiedPart[], read: ReadIntoOptions): Promise<void> {
    const { windows, flow, stream, samples: limit = 3 } = this.#options
    const before = await comparison.countExtra()
    const since = flow.recipe.incremental && (this.#reading.cursorOf(stream) ?? windows?.at(-1)?.upper)
    let unknown: string | undefined
    if (since !== undefined && [...before.values()].some(({ extra, announced }) => extra > announced)) {
      await comparison.rows.clear()
      const { completeness } = await readInto(comparison.rows, flow.recipe, { since }, read)
      await comparison.findAgain()
      const open = openText(completeness)
      if (open !== undefined) unknown = `it is not proven that all records since ${since} were read: ${open}`
    }
    const counted = await comparison.countExtra()
    for (const [part, { extra, announced }] of counted) {
      const one = parts[part]
      if (!one) continue
      const found = await comparison.extraSamples(part, limit)
      const isUnknown = unknown !== undefined && extra > announced
      parts[part] = {
        ...one,
        counts: { ...one.counts, extra: isUnknown ? announced : extra },
        samples: isUnknown ? one.samples : [...one.samples, ...found],
        ...defined({ extraUnknown: isUnknown ? unknown : one.extraUnknown }),
      }
    }
  }

  async #readOptions(): Promise<ReadIntoOptions> {
    const { stream, flow, onProgress } = this.#options
    let rows = 0
    return {
      scope: this.#reading.scope(stream, this.#onEvent),
      moved: await this.#reading.movedList(stream),
      later: laterRecords(flow.recipe, flow.table, this.#reading.cursorOf(stream)),
      onRows: (more) => onProgress?.(stream, (rows += more)),
    }
  }

  /** The other streams of the pipeline that write to the same table. */
  #sameTable(): string[] {
    const { pipeline, stream, flow } = this.#options
    return Object.entries(pipeline.streams).flatMap(([name, { table }]) =>
      name !== stream && table.name === flow.table.name ? [`${pipeline.name}.${name}`] : [],
    )
  }

  async #isReplaced({ beginning }: Comparison): Promise<boolean> {
    const { pipeline, stream, flow } = this.#options
    const { database, signal } = this.#reading
    return (
      flow.table.write === 'replace' &&
      (await hasFinishedSince(database, { pipeline: pipeline.name, stream }, beginning.at, { signal }))
    )
  }

  #summary(parts: readonly VerifiedPart[]): Found {
    const { windows, samples: limit = 3 } = this.#options
    const counts = parts.map((part) => part.counts).reduce(addVerified, NOTHING_VERIFIED)
    const completeness = parts.reduce<Completeness | undefined>(
      (worst, part) => worstOf(worst, part.completeness),
      undefined,
    )
    const unknown = parts.find(({ extraUnknown }) => extraUnknown !== undefined)?.extraUnknown
    const samples = parts.flatMap((part) => part.samples)
    return {
      counts,
      samples: firstOfEachKind(samples, limit),
      ...defined({ completeness, extraUnknown: unknown, lists: addLists(parts, limit) }),
      ...(windows && {
        windows: parts.map((part, index): VerifiedWindow => {
          const { lower: from = '', upper: to = '' } = windows[index] ?? {}
          return { from, to, ...part }
        }),
      }),
    }
  }
}

interface PartOptions {
  readonly part: number
  readonly window: Window | undefined
  readonly others: readonly string[]
  readonly read: ReadIntoOptions
  readonly plan: RepairPlan
}

const countsOf = (
  { equal, missing, stale, newer, changed, unread }: Differences,
  more: { readonly changed: number; readonly rejected: number },
): VerifiedCounts => ({
  read: equal + missing + stale + newer + changed + unread,
  equal,
  missing,
  stale,
  newer,
  extra: 0,
  changedMeanwhile: changed + more.changed,
  notReadYet: unread,
  rejected: more.rejected,
})

function addVerified(one: VerifiedCounts, other: VerifiedCounts): VerifiedCounts {
  const names = Object.keys(one) as (keyof VerifiedCounts)[]
  return Object.fromEntries(names.map((name) => [name, one[name] + other[name]])) as unknown as VerifiedCounts
}

/** Adds up what was found in the tables of nested lists. */
function addLists(parts: readonly VerifiedPart[], limit: number): VerifiedList[] | undefined {
  if (parts.every(({ lists }) => lists === undefined)) return undefined
  const sums = new Map<string, VerifiedList>()
  for (const list of parts.flatMap(({ lists = [] }) => lists)) {
    const { counts, samples } = sums.get(list.table) ?? { counts: undefined, samples: [] }
    const names = Object.keys(list.counts) as (keyof VerifiedList['counts'])[]
    sums.set(list.table, {
      table: list.table,
      // Each name of the type has a number.
      counts: Object.fromEntries(
        names.map((name) => [name, list.counts[name] + (counts?.[name] ?? 0)]),
      ) as unknown as VerifiedList['counts'],
      samples: firstOfEachKind([...samples, ...list.samples], limit),
    })
  }
  return [...sums.values()]
}

function firstOfEachKind(samples: readonly DifferenceSample[], limit: number): DifferenceSample[] {
  const counts = new Map<DifferenceSample['kind'], number>()
  return samples.filter(({ kind }) => {
    const count = (counts.get(kind) ?? 0) + 1
    counts.set(kind, count)
    return count <= limit
  })
}
