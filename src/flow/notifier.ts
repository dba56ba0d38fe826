/** Lets one task wait for a condition. The task that may have changed the condition calls `notify`. */
export class Notifier {
  #wake: (() => void) | undefined

  /** Makes the waiting task check its condition again. */
  notify(): void {
    this.#wake?.()
  }

  /** Waits until the condition is true. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }
}
