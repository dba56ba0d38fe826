// @ts-check
/** @typedef {import('../../schemas/resources.ts').WindowCell} WindowCell */
/**
 * @typedef {{ at: number, column: number }} Cell `at` is the window's place among all
 * @typedef {{ label: string, cells: Cell[] }} Row
 * @typedef {{ title: string, columns: number, heads: string[], rows: Row[] }} Block
 */

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const wide = 30

/**
 * Where each window of a backfill stands on the map: days in rows of months, hours in rows of days, months in rows of
 * years, so that a missing day shows as a gap; other windows in rows of thirty.
 * @param {readonly Pick<WindowCell, 'lower'>[]} windows the oldest first
 * @param {string} step `1d`, `1h`, `1mo`, …
 * @param {string} zone
 * @returns {Block[]}
 */
export function layout(windows, step, zone) {
  const place = places[step] ?? others
  const calendar = calendarOf(zone)
  /** @type {Block[]} */
  const blocks = []
  let [block, row, key] = [/** @type {Block | undefined} */ (undefined), /** @type {Row | undefined} */ (undefined), '']
  windows.forEach(({ lower }, at) => {
    const its = place(calendar(lower), at)
    if (block?.title !== its.block)
      blocks.push((block = { title: its.block, columns: its.columns, heads: its.heads, rows: [] }))
    if (key !== `${its.block} ${its.row}`) block.rows.push((row = { label: its.label ?? its.row, cells: [] }))
    key = `${its.block} ${its.row}`
    if (!row) return
    // In the night in which the clocks go back an hour comes twice.
    const column = Math.max(its.column, (row.cells.at(-1)?.column ?? 0) + 1)
    block.columns = Math.max(block.columns, column)
    row.cells.push({ at, column })
  })
  return blocks
}

/** @typedef {{ year: number, month: number, day: number, hour: number }} Local */

/**
 * What a clock and a calendar in a zone show at an instant. @param {string} zone @returns {(instant: string) => Local}
 */
function calendarOf(zone) {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    hourCycle: 'h23',
  })
  return (instant) => {
    const parts = Object.fromEntries(
      format.formatToParts(new Date(instant)).map(({ type, value }) => [type, Number(value)]),
    )
    return { year: parts['year'] ?? 0, month: parts['month'] ?? 1, day: parts['day'] ?? 1, hour: parts['hour'] ?? 0 }
  }
}

/** @typedef {{ block: string, row: string, label?: string, column: number, columns: number, heads: string[] }} Place */

/** @param {number} from @param {number} to @param {number} every */
const ticks = (from, to, every) =>
  Array.from({ length: to - from + 1 }, (_, at) => ((from + at) % every === 0 || at === 0 ? String(from + at) : ''))
const [days, hours] = [ticks(1, 31, 5), ticks(0, 23, 6)]

/** @type {Record<string, (local: Local, at: number) => Place>} */
const places = {
  '1d': ({ year, month, day }) => ({
    block: String(year),
    row: /** @type {string} */ (months[month - 1]),
    column: day,
    columns: 31,
    heads: days,
  }),
  '1h': ({ year, month, day, hour }) => ({
    block: `${months[month - 1]} ${year}`,
    row: String(day),
    column: hour + 1,
    columns: 24,
    heads: hours,
  }),
  '1mo': ({ year, month }) => ({
    block: '',
    row: String(year),
    column: month,
    columns: 12,
    heads: months.map((name) => name.slice(0, 1)),
  }),
}

/**
 * A row has the name of the day on which its first window begins. @param {Local} local @param {number} at @returns
 * {Place}
 */
const others = ({ year, month, day }, at) => ({
  block: '',
  row: String(Math.floor(at / wide)),
  label: `${year}-${two(month)}-${two(day)}`,
  column: (at % wide) + 1,
  columns: wide,
  heads: [],
})

/** @param {number} value */
const two = (value) => String(value).padStart(2, '0')
