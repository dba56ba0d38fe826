/** Lets one task wait until something is so; whoever may have changed it rings. */
export class Notifier {
  #wake: (() => void) | undefined

  notify(): void {
    this.#wake?.()
  }

  async until(isSo: () => boolean): Promise<void> {
    while (!isSo()) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }
}
