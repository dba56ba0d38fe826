// What one seed stands for: an API, the way in which it is read, and when the reading is killed.
import type { Random } from './random.ts'

export type Kind = 'offset' | 'page' | 'cursor' | 'link' | 'link to page' | 'url of offset' | 'since'

export interface Scenario {
  readonly kind: Kind
  readonly order: 'updated ascending' | 'updated descending' | 'id ascending' | 'id descending' | 'name ascending'
  readonly size: number
  /** The number of the first page, or the first offset. */
  readonly start: 0 | 1
  /** The body states the number of records. */
  readonly total: boolean
  /** The paginator reads it. */
  readonly isTotalNamed: boolean
  readonly overlap: boolean
  /** The paginator of the pages that all have one value, for `since`. */
  readonly within: 'page' | 'offset'
  /** For `since`: the API leaves out records with exactly this value. */
  readonly isExclusive: boolean
  /** The grain of times, in milliseconds. */
  readonly grain: number
  readonly isIncremental: boolean
  readonly write: 'merge' | 'append' | 'append by key' | 'replace'
  readonly concurrency: number
  readonly records: number
  /** The probability that the list moves after a request, and the changes at once. */
  readonly unrest: number
  readonly mostAtOnce: number
  readonly changes: readonly ('insert' | 'touch' | 'delete')[]
  /** The probability of a kill after a page. */
  readonly kills: number
  /** Pages of one commit. */
  readonly batch: number
  readonly runs: number
}

const SIZES = [1, 2, 2, 3, 3, 4, 5, 7, 10, 10, 25, 50, 100]

/** `appended` is the hardest kind: rows without a key, offsets that overlap, a list that moves much, and kills. */
export type Mix = 'all' | 'since' | 'appended' | 'reordered'

/** `led`: responses lead to pages or offsets. */
export function scenarioOf(random: Random, mix: Mix, led?: 'link to page' | 'url of offset'): Scenario {
  const scenario = pagesOf(random, led)
  if (mix === 'appended') return appendedOf(scenario, random)
  if (mix === 'reordered') return reorderedOf(scenario, random)
  if (mix === 'all') return scenario
  return {
    ...scenario,
    kind: 'since',
    order: 'updated ascending',
    within: random.pick(['page', 'offset'] as const),
    grain: random.pick([1, 1_000, 60_000, 600_000]),
    // The next run of an incremental stream would miss the records with exactly the value of the cursor.
    isExclusive: !scenario.isIncremental && random.chance(0.4),
    mostAtOnce: random.between(1, 4),
    changes: changesOf(random, { isTouchSeen: true }),
  }
}

/**
 * `reordered` reads everything by offsets that overlap, where a touch moves a record anywhere or to the front. What
 * nothing shows is left out: a deletion without a total in an order by a name, and one with an insertion between the
 * same two requests.
 */
function reorderedOf(scenario: Scenario, random: Random): Scenario {
  const order = random.pick(['name ascending', 'name ascending', 'updated descending'] as const)
  const total = random.chance(0.5)
  const isAnything = order === 'updated descending' || total
  const changes = random.pick<Scenario['changes']>(
    isAnything
      ? [['touch'], ['touch', 'insert'], ['touch', 'delete'], ['touch', 'touch', 'delete', 'insert']]
      : [['touch'], ['touch', 'insert']],
  )
  const isHidden = order === 'name ascending' && changes.includes('delete') && changes.includes('insert')
  return {
    ...scenario,
    kind: 'offset',
    order,
    size: random.pick([2, 3, 3, 4, 5, 7, 10, 25]),
    overlap: true,
    total,
    isTotalNamed: total,
    isIncremental: false,
    write: random.pick(['merge', 'append by key', 'replace'] as const),
    unrest: random.pick([0, 0.02, 0.05, 0.2, 0.5]),
    mostAtOnce: isHidden ? 1 : random.between(1, 4),
    changes,
    kills: 0,
    runs: random.between(1, 2),
  }
}

function appendedOf(scenario: Scenario, random: Random): Scenario {
  const size = random.pick([2, 3, 3, 4, 5, 7, 10, 25])
  const order = orderOf(random, true, true)
  return {
    ...scenario,
    kind: 'offset',
    order,
    size,
    // As in `pagesOf`: without a total, nothing shows that a record moved to the front while another one was deleted.
    total: scenario.total || (order === 'updated descending' && !scenario.isIncremental),
    overlap: true,
    write: 'append',
    // Twenty pages of two records in a row may be equal, as from an API that ignores the offset: that is an error.
    unrest: random.pick(size === 2 ? [0.2, 0.5] : [0.2, 0.5, 0.9]),
    mostAtOnce: random.between(1, 4),
    changes: changesOf(random, { isTouchSeen: true }),
    kills: random.pick([0, 0.05, 0.2, 0.5]),
  }
}

function pagesOf(random: Random, led: Kind | undefined): Scenario {
  const drawn = random.pick<Kind>(['offset', 'offset', 'offset', 'page', 'page', 'cursor', 'link'])
  const kind = led ?? drawn
  const size = random.pick(SIZES)
  const isIncremental = random.chance(0.5)
  const overlap = random.chance(0.85)
  const isOverlapped = kind === 'offset' && overlap && size > 1
  const isCounted = kind !== 'cursor' && kind !== 'link'
  const order = orderOf(random, isCounted, isIncremental)
  // Without a total, nothing shows a record that was deleted before a border that does not overlap, nor one that moved
  // to the beginning of the list while another one was deleted.
  const kills = random.pick([0, 0, 0.05, 0.2, 0.5])
  const total = !isOverlapped || (order === 'updated descending' && !isIncremental) || random.chance(0.5)
  return {
    kind,
    order,
    size,
    start: random.pick([0, 1] as const),
    total,
    isTotalNamed: total && random.chance(0.7),
    overlap,
    within: 'page',
    grain: 1,
    isExclusive: false,
    isIncremental,
    write: random.pick(
      isIncremental ? ['merge', 'merge', 'append', 'append by key'] : ['merge', 'append', 'append by key', 'replace'],
    ),
    concurrency: random.between(1, 5),
    records: random.between(0, random.pick([5, 20, 60])),
    unrest: random.pick([0, 0.05, 0.2, 0.5, 0.9]),
    // An insertion and a deletion between the same two requests hide each other where pages do not overlap.
    mostAtOnce: isOverlapped || !isCounted ? random.between(1, 4) : 1,
    changes: changesOf(random, { isTouchSeen: isOverlapped || !isCounted || isIncremental || kills === 0 }),
    kills,
    batch: random.between(1, 3),
    runs: isIncremental ? random.between(1, 3) : random.between(1, 2),
  }
}

/** A cursor of an API that reads the newest first does not come to records that move to the front. */
const orderOf = (random: Random, isCounted: boolean, isIncremental: boolean): Scenario['order'] =>
  random.pick(
    isCounted || isIncremental
      ? ['updated ascending', 'updated ascending', 'updated descending', 'id ascending', 'id descending']
      : ['updated ascending', 'id ascending', 'id descending'],
  )

/** After an interruption the keys before it are forgotten: a full reading does not see that a record comes twice. */
const changesOf = (random: Random, { isTouchSeen }: { readonly isTouchSeen: boolean }): Scenario['changes'] =>
  random.pick<Scenario['changes']>(
    isTouchSeen
      ? [
          ['touch'],
          ['delete'],
          ['insert'],
          ['touch', 'delete', 'insert'],
          ['touch', 'touch', 'delete'],
          ['insert', 'delete'],
        ]
      : [['delete'], ['insert'], ['insert', 'delete']],
  )
