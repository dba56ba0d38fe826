import { displayWidth } from '../../../src/cli/output/display-width.ts'

export interface ScreenCell {
  readonly letter: string
  /** As the sequence that set it, as '1;32'; '' is the terminal's own. */
  readonly style: string
}

interface Row {
  cells: ScreenCell[]
  /** The terminal broke the line here; the next row goes on with it. */
  isBroken: boolean
}

/**
 * What a terminal shows after some bytes: enough of one for programs that write lines over. It breaks what is too wide,
 * scrolls, and when it is resized wraps its lines again, as most terminals do.
 */
export class Screen {
  columns: number
  #height: number
  readonly #rows: Row[] = [{ cells: [], isBroken: false }]
  #top = 0
  #row = 0
  #column = 0
  #style = ''
  #left = ''

  constructor({ columns = 80, rows = 24 } = {}) {
    this.columns = columns
    this.#height = rows
  }

  /** All rows, those that were scrolled away included. */
  get lines(): string[] {
    return this.#rows.map(({ cells }) =>
      cells
        .map(({ letter }) => letter)
        .join('')
        .trimEnd(),
    )
  }

  get cells(): readonly (readonly ScreenCell[])[] {
    return this.#rows.map(({ cells }) => cells)
  }

  write(text: string): void {
    const all = this.#left + text
    // oxlint-disable-next-line no-control-regex -- Escape sequences control a terminal.
    const begun = /\u001b(?:\[[\d;?]*)?$/.exec(all)
    this.#left = begun?.[0] ?? ''
    const whole = all.slice(0, all.length - this.#left.length)
    // oxlint-disable-next-line no-control-regex
    for (const [part, parameters, end] of whole.matchAll(/\u001b\[([\d;?]*)([A-Za-z])|\u001b[^[]|[\s\S]/gu)) {
      if (end !== undefined) this.#control(parameters ?? '', end)
      else if (part === '\n') this.#down()
      else if (part === '\r') this.#column = 0
      else if (part >= ' ') this.#put(part)
    }
  }

  resize(columns: number, rows: number): void {
    const lines: { cells: ScreenCell[]; cursor?: number }[] = []
    let isNew = true
    for (const [number, { cells, isBroken }] of this.#rows.entries()) {
      if (isNew) lines.push({ cells: [] })
      const line = lines.at(-1)!
      if (number === this.#row) line.cursor = line.cells.length + this.#column
      line.cells.push(...cells)
      isNew = !isBroken
    }
    this.columns = columns
    this.#height = rows
    this.#rows.length = 0
    for (const { cells, cursor } of lines) {
      const first = this.#rows.length
      do {
        const part = cells.splice(0, columns)
        this.#rows.push({ cells: part, isBroken: cells.length > 0 })
      } while (cells.length > 0)
      if (cursor !== undefined) {
        this.#row = Math.min(first + Math.floor(cursor / columns), this.#rows.length - 1)
        this.#column = cursor % columns
      }
    }
    this.#top = Math.max(0, this.#rows.length - rows)
  }

  #put(letter: string): void {
    const width = displayWidth(letter)
    if (this.#column + width > this.columns) {
      this.#rows[this.#row]!.isBroken = true
      this.#down()
      this.#column = 0
    }
    const { cells } = this.#rows[this.#row]!
    while (cells.length < this.#column) cells.push({ letter: ' ', style: '' })
    cells[this.#column] = { letter, style: this.#style }
    this.#column += width
  }

  #down(): void {
    this.#row += 1
    if (!this.#rows[this.#row]) this.#rows.push({ cells: [], isBroken: false })
    this.#top = Math.max(this.#top, this.#row - this.#height + 1)
  }

  #control(parameters: string, end: string): void {
    const number = Math.max(1, Number.parseInt(parameters, 10) || 1)
    const row = this.#rows[this.#row]!
    if (end === 'A') this.#row = Math.max(this.#top, this.#row - number)
    else if (end === 'B')
      for (let down = 0; down < number && this.#row < this.#top + this.#height - 1; down += 1) this.#down()
    else if (end === 'G') this.#column = number - 1
    else if (end === 'J') {
      row.cells.length = Math.min(row.cells.length, this.#column)
      row.isBroken = false
      this.#rows.length = this.#row + 1
    } else if (end === 'K') {
      if (parameters === '2') row.cells = []
      else row.cells.length = Math.min(row.cells.length, this.#column)
      row.isBroken = false
    } else if (end === 'm') {
      const added = parameters.split(';').filter((one) => !['', '0', '39', '22'].includes(one))
      this.#style = added.length === 0 ? '' : added.join(';')
    } else if (!'hl'.includes(end)) throw new Error(`The screen does not know ESC [ ${parameters} ${end}`)
  }
}
