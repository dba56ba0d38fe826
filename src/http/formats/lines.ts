const NEWLINE = 10
const RETURN = 13

/** A line of a body, without its end. */
export interface Line {
  /** Counted from 1. */
  readonly number: number
  readonly bytes: Buffer
}

/** Cuts bytes into lines, as they arrive. Lines without any character but spaces are left out. */
export class Lines {
  #pending: Buffer[] = []
  #pendingBytes = 0
  #number = 0

  get pendingBytes(): number {
    return this.#pendingBytes
  }

  /** Returns the lines that the bytes end. */
  push(bytes: Buffer): Line[] {
    const lines: Line[] = []
    let from = 0
    for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, from)) {
      this.#take(bytes.subarray(from, at), lines)
      from = at + 1
    }
    if (from < bytes.length) {
      this.#pending.push(bytes.subarray(from))
      this.#pendingBytes += bytes.length - from
    }
    return lines
  }

  /** Returns the line that no line end follows. */
  end(): Line[] {
    const lines: Line[] = []
    this.#take(Buffer.alloc(0), lines)
    return lines
  }

  #take(rest: Buffer, lines: Line[]): void {
    const whole = this.#pending.length === 0 ? rest : Buffer.concat([...this.#pending, rest])
    this.#pending = []
    this.#pendingBytes = 0
    this.#number += 1
    const bytes = whole.at(-1) === RETURN ? whole.subarray(0, -1) : whole
    if (!isBlank(bytes)) lines.push({ number: this.#number, bytes })
  }
}

function isBlank(bytes: Buffer): boolean {
  for (const byte of bytes) if (byte !== 32 && byte !== 9 && byte !== RETURN) return false
  return true
}
