import type { Link, Message, Watcher } from '../support/pg-proxy.ts'

/** The parts of a run in which a kill can fall. */
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

/** The place of a run with several connections is the first of these that one of its connections has. */
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

/** The state of one connection. */
interface Line {
  place: Place
  /** A statement is under way, or a transaction is open. */
  isBusy: boolean
  isKeeper: boolean
}

/** Statements by which a connection shows what it does. */
const KEEPER = /sluice\.write_events\(|backend_start::text|delete from sluice\.events|update sluice\.runs\s+set seen_at/
const CLAIM = /sluice\.(?:open|claim_sync|claim_window|is_claimable)\(|from sluice\.slices as s/
const END_OF_RUN = /pg_wal_lsn_diff|update sluice\.runs\s+set status/

/** Follows the statements of a run, and knows from them in which part it is. */
export class Whereabouts implements Watcher {
  readonly #lines = new Map<number, Line>()
  readonly #isBeforeEnd: (statement: string) => boolean
  #isClaimed = false
  #isOver = false
  /** The connection that has committed the last rows of a stream whose end is not committed yet. */
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

  /** Returns true if this connection only renews leases and stores events. */
  isKeeper({ id }: Link): boolean {
    return this.#lines.get(id)?.isKeeper ?? false
  }

  /** Returns the place of a kill right before or after this message. */
  placeOf(message: Message): Place {
    const line = this.#line(message)
    if (line.isKeeper) return this.#isClaimed && !this.#isOver ? 'keeper' : this.now()
    // After the complete reply to a statement the other connections decide, or the run waits for the next page.
    if (line.isBusy) return line.place
    return line === this.#awaitsEnd ? 'between last batch and end' : this.now()
  }

  /** Returns the place of a kill at this moment. */
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
    if (KEEPER.test(statement)) return 'keeper'
    if (isBatch(statement)) {
      if (statement.startsWith('begin;')) return this.#awaitsEnd ? 'between last batch and end' : 'before commit'
      return place === 'swap' ? 'swap' : 'before commit'
    }
    if (/\bcopy\b[^;]*\bfrom stdin/i.test(statement)) return 'COPY'
    if (/sluice (schema|table) |\balter table\b|\bcreate table\b/i.test(statement)) return 'change of shape'
    // What follows in the same transaction: the catalog is read again, and committed.
    if (isBusy && place === 'change of shape') return place
    if (/"sluice"\."shadow_\d+"/.test(statement)) return 'swap'
    if (/\binsert into\b.*\bas t\b|sluice_(?:batch|plan)_/s.test(statement)) return 'merge'
    if (CLAIM.test(statement)) return 'claim'
    if (END_OF_RUN.test(statement)) return 'after the end'
    if (!this.#isClaimed) return 'start'
    return isBusy ? place : 'claim'
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
