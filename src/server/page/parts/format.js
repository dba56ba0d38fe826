// @ts-check

const whole = new Intl.NumberFormat('en-US')
const one = new Intl.NumberFormat('en-US', { minimumFractionDigits: 1, maximumFractionDigits: 1 })

/** An exact number, which can be compared with the ledger. @param {number} value */
export const count = (value) => whole.format(value)

/** A rate, rounded. @param {number} value */
export const rate = (value) => (value > 0 && value < 10 ? one.format(value) : whole.format(Math.round(value)))

/** A number with its noun. @param {number} value @param {string} noun @param {string} [many] */
export const counted = (value, noun, many = `${noun}s`) => `${count(value)} ${value === 1 ? noun : many}`

/** A number in few characters, for axes: 1.5k, 20k, 1.2M. @param {number} value */
export function short(value) {
  if (value < 1_000) return String(Math.round(value * 10) / 10)
  const { size, prefix } = unitOf(value)
  return `${Math.round((value / size) * 10) / 10}${prefix}`
}

/** @param {number} value */
export function bytes(value) {
  if (value < 1_000) return `${value} B`
  const { size, prefix } = unitOf(value)
  return `${one.format(value / size)} ${prefix}B`
}

/** @param {number} value at least 1,000 */
function unitOf(value) {
  if (value < 1e6) return { size: 1e3, prefix: 'k' }
  return value < 1e9 ? { size: 1e6, prefix: 'M' } : { size: 1e9, prefix: 'G' }
}

/** A duration: 840 ms, 4.2 s, 3 min 05 s, 2 h 10 min, 3 d 4 h. @param {number} ms */
export function duration(ms) {
  const seconds = Math.max(0, ms) / 1_000
  if (ms < 1_000) return `${Math.round(Math.max(0, ms))} ms`
  if (seconds < 60) return `${one.format(Math.floor(seconds * 10) / 10)} s`
  return parts(Math.floor(seconds))
}

/** The duration so far, without a fraction that would flicker. @param {number} ms */
export const lasting = (ms) =>
  ms < 60_000 ? `${Math.max(0, Math.floor(ms / 1_000))} s` : parts(Math.floor(ms / 1_000))

/** An age in one unit: 12 s, 3 min, 5 h, 4 d. @param {number} ms */
export function age(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1_000))
  if (seconds < 60) return `${seconds} s`
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min`
  return seconds < 172_800 ? `${Math.floor(seconds / 3_600)} h` : `${Math.floor(seconds / 86_400)} d`
}

/** @param {number} seconds at least a minute */
function parts(seconds) {
  const [minutes, hours, days] = [Math.floor(seconds / 60), Math.floor(seconds / 3_600), Math.floor(seconds / 86_400)]
  if (hours === 0) return `${minutes} min ${two(seconds % 60)} s`
  if (days === 0) return `${hours} h ${two(minutes % 60)} min`
  return `${days} d ${hours % 24} h`
}

/** @param {number} value */
const two = (value) => String(value).padStart(2, '0')

/**
 * The time in the browser's zone, with the date if it is not today. @param {string | number}
 * instant @param {number} now
 */
export function clock(instant, now) {
  const date = new Date(instant)
  const time = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`
  return date.toDateString() === new Date(now).toDateString() ? time : `${day(date)} ${time.slice(0, 5)}`
}

/** @param {Date} date */
const day = (date) => `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`

/** The full time in UTC, for a tooltip. @param {string | number} instant */
export const instant = (instant) => new Date(instant).toISOString().replace('T', ' ').replace('Z', ' UTC')
