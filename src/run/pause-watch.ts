import type { Database } from '../database/database.ts'
import { LinkedSignal } from '../flow/signals/linked-signal.ts'
import type { LeaseKeeper } from '../ledger/lease/lease-keeper.ts'
import { PAUSE_CHANNEL, pauseOf, pauseText, readPauses, type Pause } from '../ledger/pauses.ts'
import { PausedError } from '../model/errors.ts'

/** Behind a pooler no notification arrives. */
const POLL_MS = 15_000

export interface PauseWatchOptions {
  readonly pipeline: string
  readonly streams: readonly string[]
  readonly keeper: LeaseKeeper
  /** Aborts when the whole run is to stop. */
  readonly readSignal: AbortSignal
}

/** The signals of a run's streams: each aborts when the run is to stop, or when its stream is paused. */
export class PauseWatch implements Disposable {
  readonly #pipeline: string
  readonly #signals: ReadonlyMap<string, LinkedSignal>
  readonly #resources = new DisposableStack()

  constructor(database: Database, { pipeline, streams, keeper, readSignal }: PauseWatchOptions) {
    this.#pipeline = pipeline
    this.#signals = new Map(streams.map((name) => [name, this.#resources.use(new LinkedSignal(readSignal))]))
    const look = (): void => {
      if (readSignal.aborted) return
      // What fails is tried again; a database that is gone stops the run itself.
      readPauses(database.with({ signal: readSignal }), [pipeline]).then(
        (pauses) => this.apply(pauses),
        () => {},
      )
    }
    this.#resources.use(keeper.subscribe(PAUSE_CHANNEL, look))
    const timer = setInterval(look, POLL_MS)
    timer.unref()
    this.#resources.defer(() => clearInterval(timer))
  }

  /** Returns the signal of a stream. */
  signalOf(stream: string): AbortSignal {
    const link = this.#signals.get(stream)
    if (!link) throw new TypeError(`Stream ${stream} is not a part of this run`)
    return link.signal
  }

  /** Stops the streams that are paused. */
  apply(pauses: readonly Pause[]): void {
    for (const [stream, link] of this.#signals) {
      const paused = pauseOf(pauses, { pipeline: this.#pipeline, stream })
      if (paused && !link.signal.aborted) link.abort(new PausedError(pauseText(paused)))
    }
  }

  [Symbol.dispose](): void {
    this.#resources[Symbol.dispose]()
  }
}

/** Returns the pauses of a pipeline. Throws if none of the streams may be read: a run would do nothing. */
export async function requireUnpaused(
  database: Database,
  { pipeline, streams, signal }: Pick<PauseWatchOptions, 'pipeline' | 'streams'> & { readonly signal: AbortSignal },
): Promise<readonly Pause[]> {
  const pauses = await readPauses(database.with({ signal }), [pipeline])
  const held = streams.map((stream) => pauseOf(pauses, { pipeline, stream }))
  const texts = [...new Set(held.flatMap((one) => (one ? [pauseText(one)] : [])))]
  if (held.length > 0 && held.every((one) => one !== undefined)) throw new PausedError(texts.join('; '))
  return pauses
}
