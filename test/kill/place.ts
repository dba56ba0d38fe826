import type { Link, Message, Watcher } from '../support/pg-proxy.ts'

/** Where in a run a kill can fall. */
export const PLACES = [
  'start',
  'claim',
  'request',
  'COPY',
  'merge',
  'before commit',
  'commit sent and unanswered',
  'between last batch and end',
  'swap',
  'change of shape',
  'keeper',
  'after the end',
] as const
export type Place = (typeof PLACES)[number]

/** Of several connections the run as a whole is where the one stands that comes first here. */
const WEIGHT: readonly Place[] = [
  'commit sent and unanswered',
  'swap',
  'change of shape',
  'merge',
  'before commit',
  'COPY',
  'between last batch and end',
  'claim',
]

/** What a connection is doing. */
interface Line {
  place: Place
  /** A statement is under way, or a transaction is open. */
  isBusy: boolean
  isKeeper: boolean
}

/** Knows from the statements that pass by where a run stands. */
export class Whereabouts implements Watcher {
  readonly #lines = new Map<number, Line>()
  readonly #isBeforeEnd: (statement: string) => boolean
  #isClaimed = false
  #isOver = false
  /** By this connection the last rows of a stream were committed, and its end is still to come. */
  #awaitsEnd: Line | undefined

  /** `isBeforeEnd`: this statement commits the last rows of a stream whose end comes with an empty page. */
  constructor(isBeforeEnd: (statement: string) => boolean) {
    this.#isBeforeEnd = isBeforeEnd
  }

  before = (message: Message): void => {
    if (message.from !== 'client' || (message.name !== 'Query' && message.name !== 'Parse')) return
    const line = this.#line(message)
    line.place = this.#placeOf(message.text!, line)
    line.isBusy = true
    line.isKeeper ||= line.place === 'keeper'
    this.#isClaimed ||= line.place === 'claim'
    this.#isOver ||= line.place === 'after the end'
  }

  after = (message: Message): void => {
    const line = this.#line(message)
    if (message.name === 'ReadyForQuery') line.isBusy = message.text !== 'I'
    if (message.from !== 'client' || message.name !== 'Query' || !isBatch(message.text!)) return
    line.place = 'commit sent and unanswered'
    if (this.#isBeforeEnd(message.text!)) this.#awaitsEnd = line
    if (isEnd(message.text!)) this.#awaitsEnd = undefined
  }

  /** Whether this connection renews leases and stores events, and nothing else. */
  isKeeper({ id }: Link): boolean {
    return this.#lines.get(id)?.isKeeper ?? false
  }

  /** Where a kill right before or after this message falls. */
  placeOf(message: Message): Place {
    const line = this.#line(message)
    if (line.isKeeper) return this.#isClaimed && !this.#isOver ? 'keeper' : this.now()
    // Once the answer to a statement has been passed on whole, the run is where its other connections are, or on its
    // way to the next page.
    if (line.isBusy) return line.place
    return line === this.#awaitsEnd ? 'between last batch and end' : this.now()
  }

  /** Where a kill at this moment falls. */
  now(): Place {
    const busy = new Set(
      [...this.#lines.values()].filter(({ isBusy, isKeeper }) => isBusy && !isKeeper).map(({ place }) => place),
    )
    const heaviest = WEIGHT.find((place) => busy.has(place))
    if (heaviest) return heaviest
    if (!this.#isClaimed) return 'start'
    if (this.#isOver) return 'after the end'
    return this.#awaitsEnd ? 'between last batch and end' : 'request'
  }

  #placeOf(statement: string, { isBusy, place }: Line): Place {
    if (/sluice\.tell\(|backend_start::text|delete from sluice\.events|update sluice\.runs set seen_at/.test(statement))
      return 'keeper'
    if (isBatch(statement))
      return statement.startsWith('begin;')
        ? this.#awaitsEnd
          ? 'between last batch and end'
          : 'before commit'
        : place === 'swap'
          ? 'swap'
          : 'before commit'
    if (/\bcopy\b[^;]*\bfrom stdin/i.test(statement)) return 'COPY'
    if (/sluice (schema|table) |\balter table\b|\bcreate table\b/i.test(statement)) return 'change of shape'
    // What follows in the same transaction: the catalog is read again, and committed.
    if (isBusy && place === 'change of shape') return place
    if (/"sluice"\."shadow_\d+"/.test(statement)) return 'swap'
    if (/\binsert into\b.*\bas t\b|sluice_batch_/s.test(statement)) return 'merge'
    if (/token = s\.token \+ 1|sluice\.open_slice\(|sluice\.is_claimable\(|from sluice\.slices as s/.test(statement))
      return 'claim'
    if (/pg_wal_lsn_diff|update sluice\.runs set status/.test(statement)) return 'after the end'
    return this.#isClaimed ? (isBusy ? place : 'claim') : 'start'
  }

  #line({ link }: Message): Line {
    const line = this.#lines.get(link.id) ?? {
      place: this.#isClaimed ? 'claim' : 'start',
      isBusy: true,
      isKeeper: false,
    }
    this.#lines.set(link.id, line)
    return line
  }
}

const isBatch = (statement: string): boolean =>
  /sluice\.advance\s*\(/.test(statement) && /;\s*commit\s*;?\s*$/i.test(statement)
const isEnd = (statement: string): boolean => statement.includes('\'{"end":true}\'::json')
