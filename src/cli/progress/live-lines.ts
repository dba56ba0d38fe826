import { cursorTo, moveCursor, clearScreenDown } from 'node:readline'
import type { WriteStream } from 'node:tty'

/** Some lines of a terminal that are written over and over. Nothing else may be written there meanwhile; what is there at the end stays. */
export class LiveLines implements Disposable {
  readonly #terminal: WriteStream
  #height = 0

  constructor(terminal: WriteStream) {
    this.#terminal = terminal
  }

  /** Lines must not be wider than the terminal: a wrapped line would be counted as one. */
  show(lines: readonly string[]): void {
    const terminal = this.#terminal
    // More than the screen holds could not be gone back over.
    const shown = lines.slice(0, Math.max(1, (terminal.rows ?? 24) - 1))
    if (this.#height > 0) {
      moveCursor(terminal, 0, -this.#height)
      cursorTo(terminal, 0)
      clearScreenDown(terminal)
    }
    terminal.write(shown.map((line) => `${line}\n`).join(''))
    this.#height = shown.length
  }

  /** Leave what is there, and go on below it. */
  [Symbol.dispose](): void {
    this.#height = 0
  }
}
