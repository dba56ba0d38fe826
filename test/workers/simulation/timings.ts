/** Times of calls by name: what a worker waits for the database and for its pool. */
export class Timings {
  readonly #ms = new Map<string, number[]>()

  async of<Result>(name: string, work: () => Promise<Result>): Promise<Result> {
    const began = performance.now()
    try {
      return await work()
    } finally {
      const times = this.#ms.get(name) ?? []
      times.push(performance.now() - began)
      this.#ms.set(name, times)
    }
  }

  count(name: string): number {
    return this.#ms.get(name)?.length ?? 0
  }

  /** A line for each name: calls, median, the slowest of a hundred, and the slowest, in milliseconds. */
  lines(): string[] {
    return [...this.#ms].map(([name, times]) => {
      const sorted = times.toSorted((a, b) => a - b)
      const at = (share: number): string => sorted[Math.floor(share * (sorted.length - 1))]!.toFixed(0)
      return `${name}: ${times.length} calls, median ${at(0.5)} ms, 99 % within ${at(0.99)} ms, slowest ${at(1)} ms`
    })
  }
}
