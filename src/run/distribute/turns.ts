// Fair shares: which queue a worker takes its next piece from.
import { ofQueue } from '../../ledger/work-queues.ts'

/** So many streams in a row are taken while windows wait. Then it is a window's turn. */
const STREAMS_IN_A_ROW = 7

/**
 * Decides from which queue one worker takes its next piece of work.
 *
 * 1. Streams come before windows of backfills. One piece in eight may be a window, so that backfills go on whatever
 *    else there is.
 * 2. Of two pipelines, the one comes first of which this worker does fewer pieces just now, else the one whose turn it
 *    is. The same holds between the accounts of a pipeline, and then between streams whose windows wait.
 *
 * So it does not count how many pieces of one pipeline, account or backfill wait.
 */
export class Turns {
  /** Pieces under way, by pipeline, account and stream. */
  readonly #underWay = new Map<string, number>()
  /** What was taken last, by the level above it. */
  readonly #last = new Map<string, string>()
  #streamsInARow = 0

  /** Returns queues that have work in the order in which to ask them. Another worker may have been faster. */
  order(queues: readonly string[]): string[] {
    const { windows = [], streams = [] } = Object.groupBy(queues, (queue) =>
      isOfWindows(queue) ? 'windows' : 'streams',
    )
    const [first, second] = this.#streamsInARow < STREAMS_IN_A_ROW ? [streams, windows] : [windows, streams]
    return [...this.#inTurn(first, 0), ...this.#inTurn(second, 0)]
  }

  /** Notes that a piece of a queue was taken. Disposing the result notes that it has ended. */
  take(queue: string): Disposable {
    this.#streamsInARow = isOfWindows(queue) ? 0 : this.#streamsInARow + 1
    const path = pathOf(queue)
    const places = path.map((_, level) => placeAt(path, level + 1))
    for (const [level, key] of path.entries()) this.#last.set(turnOf(queue, level), key)
    const count = (by: number): void => {
      for (const place of places) this.#underWay.set(place, (this.#underWay.get(place) ?? 0) + by)
    }
    count(1)
    return { [Symbol.dispose]: () => count(-1) }
  }

  /** Queues that are the same above a level, in the order of their turns at this level and those below. */
  #inTurn(queues: readonly string[], level: number): string[] {
    const [some] = queues
    if (some === undefined || level === LEVELS) return [...queues]
    const last = this.#last.get(turnOf(some, level)) ?? ''
    return [...Map.groupBy(queues, (queue) => pathOf(queue)[level] ?? '')]
      .map(([key, own]) => ({ key, own, busy: this.#underWay.get(placeAt(pathOf(own[0] ?? ''), level + 1)) ?? 0 }))
      .toSorted(
        (one, two) =>
          one.busy - two.busy || Number(one.key <= last) - Number(two.key <= last) || (one.key < two.key ? -1 : 1),
      )
      .flatMap(({ own }) => this.#inTurn(own, level + 1))
  }
}

const LEVELS = 3

/** The pipeline, the account, and the stream of windows. Each may be empty but the first. */
function pathOf(queue: string): readonly string[] {
  const { pipeline, stream = '' } = ofQueue(queue)
  const [name = '', account = ''] = pipeline.split('@')
  return [name, account, stream]
}

const isOfWindows = (queue: string): boolean => ofQueue(queue).stream !== undefined

const placeAt = (path: readonly string[], levels: number): string => path.slice(0, levels).join(' ')

/** Streams and windows have turns of their own: a stream must not cost its pipeline the turn of a window. */
const turnOf = (queue: string, level: number): string =>
  `${isOfWindows(queue) ? 'windows' : 'streams'} ${placeAt(pathOf(queue), level)}`
