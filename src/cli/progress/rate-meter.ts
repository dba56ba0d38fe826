/** A rate over a longer time would hide how fast the stream is now. */
const WINDOW_MS = 15_000

/** Computes rows per second over the last 15 seconds. */
export class RateMeter {
  #samples: { readonly at: number; readonly rows: number }[] = []

  /** Records the number of rows read so far. */
  sample(rows: number, now: number): void {
    this.#samples.push({ at: now, rows })
    // One sample from before the window stays, to measure from.
    const inside = this.#samples.findIndex(({ at }) => at >= now - WINDOW_MS)
    if (inside > 1) this.#samples = this.#samples.slice(inside - 1)
  }

  /** Returns rows per second lately, or since the start if the stream ended or began less than 15 seconds ago. */
  rate(rows: number, elapsedMs: number, { now, isEnded }: { readonly now: number; readonly isEnded: boolean }): number {
    const [first] = this.#samples
    if (isEnded || !first || elapsedMs <= WINDOW_MS) return perSecond(rows, elapsedMs)
    return perSecond(rows - first.rows, now - first.at)
  }
}

const perSecond = (rows: number, ms: number): number => rows / Math.max(0.001, ms / 1_000)
