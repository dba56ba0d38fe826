// Runs the readings of one seed and says what is wrong with them.
import type { Completeness } from '../../src/model/completeness.ts'
import { MovingApi, type Item } from './moving-api.ts'
import { Random } from './random.ts'
import { readAll, type Bound, type Reading } from './reading.ts'
import { scenarioOf, type Mix, type Scenario } from './scenario.ts'

/** Changes of the list during one reading. */
const MOST_CHANGES = 60

export interface Outcome {
  readonly seed: number
  readonly scenario: Scenario
  readonly grades: readonly string[]
  readonly requests: number
  readonly log: readonly string[]
  /** What is wrong; undefined if all is right. */
  readonly problem?: string
}

/** Of ten seeds two are read by `bySince()`, one appends rows without a key, and one reads a list that is reordered. */
const mixOf = (seed: number): Mix => {
  if (seed % 5 === 0) return 'since'
  if (seed % 10 === 2) return 'reordered'
  return seed % 10 === 1 ? 'appended' : 'all'
}

/** Returns what a seed stands for. `random` has drawn nothing before. */
export function scenarioOfSeed(seed: number, random: Random, mix = mixOf(seed)): Scenario {
  const led = { 2: 'link to page', 3: 'url of offset' } as const
  return scenarioOf(random, mix, led[(seed % 7) as 2 | 3])
}

/** Reads everything since a bound, over as many kills as there are. */
export type Read = (scenario: Scenario, api: MovingApi, random: Random, bound: Bound) => Promise<Reading>

export interface TryOptions {
  /** @default the one that belongs to the seed */
  readonly mix?: Mix | undefined
  /** @default a reader in this process, without a database */
  readonly read?: Read
  /** The list changes at the time of this machine. @default a clock of its own */
  readonly isRealTime?: boolean
}

export async function trySeed(
  seed: number,
  { mix = mixOf(seed), read = readAll, isRealTime = false }: TryOptions = {},
): Promise<Outcome> {
  const random = new Random(seed)
  const scenario = scenarioOfSeed(seed, random, mix)
  const api = new MovingApi(scenario, random, { isRealTime })
  const grades: string[] = []
  let problem: string | undefined
  try {
    problem = await readings(scenario, api, random, { grades, read })
  } catch (error) {
    problem = error instanceof Error ? (error.stack ?? error.message) : String(error)
  }
  return { seed, scenario, grades, requests: api.requests, log: api.log, ...(problem !== undefined && { problem }) }
}

async function readings(
  scenario: Scenario,
  api: MovingApi,
  random: Random,
  { grades, read }: { readonly grades: string[]; readonly read: Read },
): Promise<string | undefined> {
  const table = new Map<number, Item>()
  let bound: Bound = { since: undefined, boundary: {} }
  let wasOpen = false
  for (let run = 1; run <= scenario.runs + 1; run++) {
    // The last run reads a list that rests: what is lost by then is lost for ever.
    api.isMoving = run <= scenario.runs
    api.changesLeft = MOST_CHANGES
    const reading = await read(scenario, api, random, bound)
    grades.push(reading.completeness?.grade ?? 'none')
    api.log.push(`run ${run}: ${JSON.stringify(reading.completeness)}, cursor ${reading.highWaterMark?.value}`)
    wasOpen ||= isOpen(reading.completeness)
    const wrong = doubled(scenario, reading) ?? missing(scenario, api, reading, table) ?? ungraded(reading)
    if (wrong !== undefined) return `run ${run}: ${wrong}`
    if (scenario.write === 'replace') table.clear()
    for (const row of reading.rows)
      if (!(scenario.write === 'append by key' && table.has(row.id))) table.set(row.id, row)
    if (scenario.isIncremental) bound = boundAfter(bound, reading)
    api.sleep()
  }
  const lost = api.items.filter(({ id, version }) => {
    const row = table.get(id)
    return row === undefined || (scenario.write !== 'append by key' && row.version !== version)
  })
  if (lost.length > 0 && !wasOpen)
    return `after a run over a list at rest, ${lost.map(({ id }) => id).join(', ')} are missing or old`
  if (!scenario.isIncremental && lost.length > 0)
    return `a full reading of a list at rest has not brought ${lost.length} records`
  return undefined
}

const isOpen = (completeness: Completeness | undefined): boolean => completeness?.grade === 'open'

const ungraded = ({ completeness }: Reading): string | undefined =>
  completeness === undefined ? 'the reading has no grade' : undefined

/** A record that was there throughout must have been read, if the reading does not say that it is open. */
function missing(
  { isIncremental }: Scenario,
  api: MovingApi,
  reading: Reading,
  table: ReadonlyMap<number, Item>,
): string | undefined {
  if (isOpen(reading.completeness)) return undefined
  const read = new Set(reading.rows.map(({ id }) => id))
  const lost = api.throughout(reading.from, reading.to, reading.since).filter(({ id, touched, life }) => {
    if (read.has(id)) return false
    // Without a key, records of the run before that are read again are left out.
    if (isIncremental && table.get(id)?.version === life.changes.findLast(({ tick }) => tick <= reading.from)?.version)
      return false
    // What was touched is newer than the cursor, so the next run reads it.
    const now = life.changes.findLast(({ tick }) => tick <= reading.to)?.updatedAt ?? ''
    return !(isIncremental && touched && now >= (reading.highWaterMark?.value ?? ''))
  })
  if (lost.length === 0) return undefined
  const names = lost.map(({ id, touched }) => (touched ? `${id} (touched)` : `${id}`)).join(', ')
  return `${reading.completeness?.grade}, but it has missed ${names}`
}

/** Rows without a key must not be stored twice. */
function doubled({ write }: Scenario, { rows }: Reading): string | undefined {
  if (write !== 'append') return undefined
  const seen = new Set<string>()
  for (const { id, version } of rows) {
    if (seen.has(`${id}v${version}`)) return `${id} version ${version} was stored twice`
    seen.add(`${id}v${version}`)
  }
  return undefined
}

function boundAfter({ since, boundary }: Bound, { highWaterMark }: Reading): Bound {
  if (!highWaterMark) return { since, boundary }
  const counts: Record<string, number> = {}
  for (const hash of highWaterMark.hashes ?? []) counts[hash] = (counts[hash] ?? 0) + 1
  return { since: highWaterMark.value, boundary: counts }
}
