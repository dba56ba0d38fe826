// Writes times in the format of another text. An API expects its own format back.
import { divideDown } from './decimal-text.ts'
import { instantLayout, parseInstant } from './instant.ts'

/** Returns the time `ms` milliseconds earlier, rounded down to the digits of the text. Undefined if it is no time. */
export function subtractMs(text: string, ms: number): string | undefined {
  const instant = parseInstant(text)
  if (!instant) return undefined
  const digits = Math.max(3, instant.fraction.length)
  const units =
    BigInt(instant.seconds) * 10n ** BigInt(digits) +
    BigInt(instant.fraction.padEnd(digits, '0')) -
    BigInt(Math.round(ms)) * 10n ** BigInt(digits - 3)
  return format(text, units, digits)
}

/** Returns a time in the format of a text, rounded down to its digits. Undefined if the text is no time. */
export const formatLike = (text: string, time: Date): string | undefined => format(text, BigInt(time.getTime()), 3)

/** Writes a time, counted in units of 10^-digits seconds since 1970, with the parts, digits and offset of `like`. */
function format(like: string, units: bigint, digits: number): string | undefined {
  const layout = instantLayout(like)
  if (!layout) return undefined
  const perSecond = 10n ** BigInt(digits)
  const local = units + BigInt(layout.offsetSeconds) * perSecond
  const seconds = divideDown(local, perSecond)
  const iso = new Date(Number(seconds) * 1_000).toISOString()
  if (layout.separator === '') return iso.slice(0, 10)
  const rest = (local - seconds * perSecond).toString().padStart(digits, '0').padEnd(layout.digits, '0')
  return [
    iso.slice(0, 10),
    layout.separator,
    iso.slice(11, 16),
    layout.hasSeconds ? iso.slice(16, 19) : '',
    layout.point === '' ? '' : layout.point + rest.slice(0, layout.digits),
    layout.zone,
  ].join('')
}
