import { UsageError } from '../../model/errors.ts'
import { seeded } from './seeded.ts'

/**
 * What may go wrong with one request.
 *
 * | fault | the fake API |
 * |---|---|
 * | `500`, `502`, `503` | answers with this status |
 * | `429` | answers with this status and `Retry-After: 1` |
 * | `cut` | ends the connection in the middle of the body |
 * | `slow` | waits for `slowMs` first |
 * | `truncated` | sends the first half of the JSON, as if it were whole |
 * | `html` | sends a page of HTML with status 200 |
 * | `empty page` | sends a page without records: in a list of cursors or links one page more, so no record is missing |
 * | `repeated page` | sends the page before once more |
 * | `move` | moves a record that was read to the end of the list, and answers |
 * | `insert` | inserts a record into the list, and answers |
 * | `delete` | removes a record that was read from the list, and answers |
 * | `wrong total` | states another total, or number of pages, than there is |
 */
export type FaultKind =
  | '500'
  | '502'
  | '503'
  | '429'
  | 'cut'
  | 'slow'
  | 'truncated'
  | 'html'
  | 'empty page'
  | 'repeated page'
  | 'move'
  | 'insert'
  | 'delete'
  | 'wrong total'

/** All faults that a fake API knows. */
export const FAULTS: readonly FaultKind[] = Object.freeze([
  '500',
  '502',
  '503',
  '429',
  'cut',
  'slow',
  'truncated',
  'html',
  'empty page',
  'repeated page',
  'move',
  'insert',
  'delete',
  'wrong total',
])

/** Faults that the seed spreads over the requests. The same request at the same try has the same fault each time. */
export interface SeededFaults {
  readonly seed: number
  /** @default all */
  readonly kinds?: readonly FaultKind[]
  /** The share of the requests that have a fault, from 0 to 1. @default 0.3 */
  readonly share?: number
  /** Tries of one request that have a fault one after the other, at most. @default 2 */
  readonly inARow?: number
}

/** A fault of one request, counted from 1. */
export interface PlannedFault {
  readonly request: number
  readonly fault: FaultKind
}

/** The request for which a fault is chosen. */
export interface FaultedRequest {
  /** Counted from 1. */
  readonly number: number
  /** Method, URL and body. */
  readonly identity: string
  /** How often it has come, counted from 1. */
  readonly tries: number
}

/** Chooses the fault of a request. */
export type FaultChoice = (request: FaultedRequest) => FaultKind | undefined

/** Returns the function that chooses faults. Throws `UsageError` for an unknown kind. */
export function chooseFaults(given: SeededFaults | readonly PlannedFault[] | undefined): FaultChoice {
  if (given === undefined) return () => undefined
  if (isPlan(given)) {
    for (const { fault } of given) assertKnown(fault)
    return ({ number }) => given.find(({ request }) => request === number)?.fault
  }
  const { seed, kinds = FAULTS, share = 0.3, inARow = 2 } = given
  for (const kind of kinds) assertKnown(kind)
  if (!Number.isFinite(seed)) throw new UsageError(`fakeApi(): faults.seed is a number, not ${String(seed)}`)
  if (!(share >= 0 && share <= 1)) throw new UsageError(`fakeApi(): faults.share is from 0 to 1, not ${share}`)
  const falls = (identity: string, tries: number): boolean => seeded(seed, 'falls', identity, tries) < share
  return ({ identity, tries }) => {
    let row = 0
    for (let one = 1; one <= tries; one += 1) row = falls(identity, one) && row < inARow ? row + 1 : 0
    return row === 0 ? undefined : kinds[Math.floor(seeded(seed, 'kind', identity, tries) * kinds.length)]
  }
}

const isPlan = (given: SeededFaults | readonly PlannedFault[]): given is readonly PlannedFault[] => Array.isArray(given)

function assertKnown(kind: FaultKind): void {
  if (!FAULTS.includes(kind))
    throw new UsageError(`fakeApi(): there is no fault ${JSON.stringify(kind)}. The faults are ${FAULTS.join(', ')}`)
}
