import { displayWidth, fitText, onOneLine } from './display-width.ts'

export interface TextTableOptions {
  /**
   * Columns of the terminal. Longer cells are cut; if even that does not fit, each row becomes a list.
   * @default no limit
   */
  readonly width?: number
  /** Columns to leave out if not all fit, the first one first. @default none */
  readonly optional?: readonly string[]
}

/** A column is never cut to less than this. */
const MIN_WIDTH = 8

/** Lays out rows as a table: numbers to the right, each value on one line. */
export function textTable(
  rows: readonly Readonly<Record<string, unknown>>[],
  { width = Infinity, optional = [] }: TextTableOptions = {},
): string {
  const [first] = rows
  if (!first) return ''
  const names = visibleColumns(rows, Object.keys(first), { width, optional })
  const cells = rows.map((row) => names.map((name) => cellText(row[name])))
  const wanted = names.map((name) => widthOf(rows, name))
  const widths = narrowedWidths(wanted, width - 2 * (names.length - 1))
  if (!widths) return cells.map((row, index) => asList(names, row, index, width)).join('\n')
  const right = names.map(
    (name) =>
      rows.every((row) => row[name] === null || row[name] === undefined || isNumber(row[name])) &&
      rows.some((row) => isNumber(row[name])),
  )
  const line = (texts: readonly string[]): string =>
    widths
      .map((size, index) => fitText(texts[index] ?? '', size, { right: right[index] === true }))
      .join('  ')
      .trimEnd()
  return [line(names), line(widths.map((size) => '-'.repeat(size))), ...cells.map(line)].join('\n')
}

const widthOf = (rows: readonly Readonly<Record<string, unknown>>[], name: string): number =>
  rows.reduce((widest, row) => Math.max(widest, displayWidth(cellText(row[name]))), displayWidth(name))

/** Returns the names of the columns, without the optional ones that do not fit. */
function visibleColumns(
  rows: readonly Readonly<Record<string, unknown>>[],
  names: readonly string[],
  { width, optional }: Required<TextTableOptions>,
): string[] {
  const left = [...names]
  for (const name of optional) {
    if (left.reduce((sum, one) => sum + widthOf(rows, one) + 2, -2) <= width) break
    if (left.includes(name)) left.splice(left.indexOf(name), 1)
  }
  return left
}

/** Returns a value as text for a cell. */
export function cellText(value: unknown): string {
  if (value === null || value === undefined) return ''
  if (typeof value === 'string') return onOneLine(value)
  if (typeof value === 'bigint') return String(value)
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'no date' : value.toISOString()
  if (value instanceof Uint8Array) return `\\x${Buffer.from(value).toString('hex')}`
  return onOneLine(JSON.stringify(value, (_, one: unknown) => (typeof one === 'bigint' ? String(one) : one)))
}

/** bigint and numeric arrive from the database as text of digits. */
const isNumber = (value: unknown): boolean =>
  typeof value === 'number' ||
  typeof value === 'bigint' ||
  (typeof value === 'string' && /^-?\d+(?:\.\d+)?$/.test(value))

/** Narrows the widest columns until all fit. Returns undefined if there are too many columns. */
function narrowedWidths(wanted: readonly number[], room: number): number[] | undefined {
  const widths = [...wanted]
  for (let over = widths.reduce((sum, size) => sum + size, 0) - room; over > 0;) {
    const widest = Math.max(...widths)
    if (widest <= MIN_WIDTH) return undefined
    const index = widths.indexOf(widest)
    const next = Math.max(MIN_WIDTH, ...widths.filter((size) => size < widest))
    const less = Math.min(over, Math.max(1, widest - next))
    widths[index] = widest - less
    over -= less
  }
  return widths
}

function asList(names: readonly string[], row: readonly string[], index: number, width: number): string {
  const nameWidth = Math.max(...names.map(displayWidth))
  return [
    `-- ${index + 1}`,
    ...names.map((name, column) => fitText(`${fitText(name, nameWidth)}  ${row[column] ?? ''}`, width).trimEnd()),
  ].join('\n')
}
