// Reads the list of a scenario as a run does: commits page by page, is killed, and resumes from the stored position.
import {
  byCursor,
  byLinkHeader,
  byNextUrl,
  byOffset,
  byPage,
  bySince,
  http,
  since,
  type Stream,
} from '../../src/index.ts'
import { worstOf, type Completeness } from '../../src/model/completeness.ts'
import { ListMovedError, PositionLostError } from '../../src/model/errors.ts'
import { maxHighWaterMark } from '../../src/model/high-water-mark.ts'
import { END, isEnd, type HighWaterMark, type Page, type Position } from '../../src/model/page.ts'
import type { Recipe } from '../../src/model/recipe.ts'
import type { Paging } from '../../src/model/request.ts'
import type { Scope } from '../../src/model/scope.ts'
import type { SliceRead } from '../../src/model/slice.ts'
import { readSecrets } from '../../src/observe/secrets.ts'
import { readRecipe } from '../../src/read/read-recipe.ts'
import { freeMemory } from '../support/free-memory.ts'
import type { Item, MovingApi } from './moving-api.ts'
import type { Random } from './random.ts'
import type { Scenario } from './scenario.ts'

interface Body {
  items: Item[]
  total: number
  pages: number
  next: string
}

/** Requests of one reading. More are taken for a reading that does not end. */
const MAX_REQUESTS = 2_000
/** Kills of one reading. */
const MAX_KILLS = 10

/** What one reading has stored. */
export interface Reading {
  readonly from: number
  readonly to: number
  readonly since: string | undefined
  /** The rows in the order in which they were stored. */
  readonly rows: readonly Item[]
  readonly completeness: Completeness | undefined
  readonly highWaterMark: HighWaterMark | undefined
}

export interface Bound {
  readonly since: string | undefined
  readonly boundary: Readonly<Record<string, number>>
}

export const recipeOf = (scenario: Scenario): Recipe => recordsOf(scenario, 'http://api.example').recipe

/** Returns the stream of a scenario, read from an API with this base. */
export function recordsOf(scenario: Scenario, base: string): Stream<Item> {
  const { concurrency, size, isIncremental } = scenario
  const records = http(base, { concurrency })
    .get<Body>('/list', { limit: size, ...((isIncremental || scenario.kind === 'since') && { since }) })
    .pages(pagingOf(scenario))
    .records('items')
  return isIncremental ? records.incremental('updated_at', { lookback: '0s' }) : records
}

function pagingOf({ kind, start, isTotalNamed, overlap, within, isExclusive }: Scenario): Paging<Body> {
  switch (kind) {
    case 'offset':
      return byOffset<Body>('at', { start, ...(isTotalNamed && { total: 'total' }), ...(!overlap && { overlap }) })
    case 'page':
      return byPage<Body>('at', { start, ...(isTotalNamed && { pages: 'pages' }) })
    case 'cursor':
      return byCursor<Body>('after', 'next')
    case 'url of offset':
      return byNextUrl<Body>('next')
    case 'link':
    case 'link to page':
      return byLinkHeader()
    case 'since': {
      const paging = within === 'page' ? byPage<Body>('at', { start }) : byOffset<Body>('at', { start })
      return bySince(paging, { field: 'updated_at', exclusive: isExclusive })
    }
  }
}

const isKeyed = ({ write }: Scenario): boolean => write !== 'append'

/** Reads everything since a bound, over as many kills as there are. */
export async function readAll(
  scenario: Scenario,
  api: MovingApi,
  random: Random,
  { since, boundary }: Bound,
): Promise<Reading> {
  const recipe = recipeOf(scenario)
  const first = api.requests
  let startedAt = api.now()
  let from = api.tick
  let stored = nothing()
  let pass = 1
  let kills = 0
  for (;;) {
    const slice: SliceRead = {
      position: stored.position,
      restart: isKeyed(scenario) ? 'page' : 'slice',
      startedAt,
      since,
      pass,
      ...(isKeyed(scenario)
        ? { key: ['id'] }
        : scenario.isIncremental && {
            boundary: without(boundary, stored.matches),
            boundaryQuota: { remaining: 10_000, reported: false },
          }),
    }
    try {
      const outcome = await readOnce(recipe, slice, scenario, api, random, {
        stored,
        first,
        mayKill: kills < MAX_KILLS,
      })
      stored = outcome.stored
      if (outcome.isEnd) break
      kills++
      api.log.push(`killed at ${placeOf(stored.position)}`)
      api.sleep()
      // The same run may go on at its position, too.
      if (random.chance(0.7)) pass = 1
    } catch (error) {
      if (!(error instanceof PositionLostError)) throw error
      api.log.push(`restart: ${error.message}`)
      if (error instanceof ListMovedError) pass++
      stored = nothing()
      from = api.tick
      startedAt = api.now()
    }
  }
  const { rows, completeness, highWaterMark } = stored
  return { from, to: api.tick, since, rows, completeness, highWaterMark }
}

interface Stored {
  readonly position: Position
  readonly rows: readonly Item[]
  readonly completeness: Completeness | undefined
  readonly highWaterMark: HighWaterMark | undefined
  readonly matches: readonly string[]
}

/** The parameters and the state of the list, without its anchors. */
function placeOf(position: Position): string {
  if (position === null) return 'the start'
  const { query, reading } = position as { query?: unknown; reading?: { list?: { anchors?: string } } }
  const { anchors, ...list } = reading?.list ?? {}
  return `${JSON.stringify(query)} ${(anchors?.length ?? 0) / 16} anchors ${JSON.stringify(list)}`
}

const nothing = (): Stored => ({
  position: null,
  rows: [],
  completeness: undefined,
  highWaterMark: undefined,
  matches: [],
})

async function readOnce(
  recipe: Recipe,
  slice: SliceRead,
  scenario: Scenario,
  api: MovingApi,
  random: Random,
  { stored: before, first, mayKill }: { stored: Stored; first: number; mayKill: boolean },
): Promise<{ stored: Stored; isEnd: boolean }> {
  let stored = before
  let open = before
  let pages = 0
  for await (const page of readRecipe(recipe, slice, scopeOf(api))) {
    page.hold?.[Symbol.dispose]()
    if (api.requests - first > MAX_REQUESTS) throw new Error(`the reading does not end: ${MAX_REQUESTS} requests`)
    open = withPage(open, page)
    pages++
    if (isEnd(page.position)) return { stored: { ...open, position: END }, isEnd: true }
    if (pages % scenario.batch === 0) stored = open
    if (mayKill && random.chance(scenario.kills) && api.isMoving) return { stored, isEnd: false }
  }
  throw new Error('the reading ended without the position of its end')
}

const withPage = (stored: Stored, page: Page): Stored => ({
  position: page.position ?? stored.position,
  rows: [...stored.rows, ...(page.records as Item[])],
  completeness: worstOf(stored.completeness, page.completeness),
  highWaterMark: maxHighWaterMark(stored.highWaterMark, page.highWaterMark),
  matches: [...stored.matches, ...(page.boundaryMatches ?? [])],
})

function without(boundary: Bound['boundary'], matches: readonly string[]): Record<string, number> {
  const left: Record<string, number> = { ...boundary }
  for (const match of matches) left[match] = (left[match] ?? 0) - 1
  return left
}

const scopeOf = (api: MovingApi): Scope => ({
  signal: new AbortController().signal,
  now: () => api.now(),
  emit: () => {},
  secrets: readSecrets({}),
  memory: freeMemory(),
  client: () => ({
    send: async (request) => {
      // A reading may go back and forth without a page.
      if (api.requests > 10 * MAX_REQUESTS) throw new Error(`the readings do not end: ${api.requests} requests`)
      const { records: _records, ...response } = api.answer(request)
      return { ...response, hold: { [Symbol.dispose]: () => {} } }
    },
  }),
})
