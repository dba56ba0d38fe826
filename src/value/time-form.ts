// The forms in which APIs write times besides ISO 8601, such as seconds since 1970 or `31 Jan 2026 10:00:00 +0100`.
import { isPlainDecimal } from './decimal-text.ts'
import { Decimal } from './decimal.ts'
import { exists, monthNumber, offsetSeconds, timePattern, type TimeParts } from './time-pattern.ts'
import { isZoneName, zoneNamed, type Zone } from './zone.ts'

/** The form of a time. Plain data. */
export interface TimeForm {
  /** A named form, such as `unix`, or a pattern, such as `YYYYMMDD`. */
  readonly form: string
  /** The clock of times without an offset. */
  readonly zone?: string
  /** Offsets of names of zones, besides the usual ones. */
  readonly zones?: Readonly<Record<string, string>>
}

/** The forms that have a name. All others are patterns. */
export const NAMED_FORMS = ['unix', 'unix ms', 'rfc 2822', '/Date()/'] as const

const OFFSET = /^[+-]\d\d:\d\d$/

/** Offsets in hours of names of zones that mean one zone only. Others are given by a definition. */
const ZONE_HOURS: Readonly<Record<string, number>> = Object.fromEntries(
  [
    'Z 0, UT 0, UTC 0, GMT 0, WET 0, WEST 1, BST 1, CET 1, CEST 2, MET 1, MEST 2, EET 2, EEST 3, MSK 3',
    'EST -5, EDT -4, CST -6, CDT -5, MST -7, MDT -6, PST -8, PDT -7, AKST -9, AKDT -8, HST -10',
    'JST 9, KST 9, HKT 8, SGT 8, AWST 8, AEST 10, AEDT 11, NZST 12, NZDT 13',
  ]
    .flatMap((line) => line.split(', '))
    .map((zone) => zone.split(' '))
    .map(([name = '', hours]) => [name, Number(hours)] as const),
)

/** Seconds of the years 1 to 9999. A number beyond them counts another unit. */
const [FIRST_SECOND, LAST_SECOND] = [-62_135_596_800, 253_402_300_799]

/** Reads the times of one form. */
export class TimeReader {
  readonly #form: TimeForm
  readonly #zone: Zone | undefined
  readonly #read: (text: string) => string
  /** True if the form has no time of the day. */
  readonly isDay: boolean

  /** Throws a RangeError for a form that does not exist, or that leaves open which moment a time means. */
  constructor(form: TimeForm) {
    const { form: name, zone, zones = {} } = form
    this.#form = form
    this.isDay = false
    for (const [zoneName, offset] of Object.entries(zones))
      if (typeof offset !== 'string' || !OFFSET.test(offset))
        throw new RangeError(`zones.${zoneName} is an offset, as in '+05:30', not ${JSON.stringify(offset)}`)
    if (zone !== undefined && !isZoneName(zone))
      throw new RangeError(`${JSON.stringify(zone)} is no time zone: write its name, as in 'Europe/Berlin'`)
    switch (name) {
      case 'unix':
        this.#read = (text) => this.#ofNumber(text, 0)
        break
      case 'unix ms':
        this.#read = (text) => this.#ofNumber(text, 3)
        break
      case '/Date()/':
        // The offset behind the number says how a person would see it. The number is in UTC.
        this.#read = (text) => this.#ofNumber(/^\/Date\((-?\d+)(?:[+-]\d{4})?\)\/$/.exec(text)?.[1] ?? '', 3, text)
        break
      case 'rfc 2822':
        this.#read = (text) => this.#ofParts(mailParts(text), text)
        break
      default: {
        const pattern = timePattern(name)
        this.isDay = !pattern.hasTime
        if (pattern.hasTime && !pattern.hasZone && zone === undefined)
          throw new RangeError(`${JSON.stringify(name)} has no offset. Give the zone of its clock, as in zone: 'UTC'`)
        if (zone !== undefined && (pattern.hasZone || this.isDay))
          throw new RangeError(`${JSON.stringify(name)} needs no zone, because its values are days or have an offset`)
        this.#zone = zone === undefined ? undefined : zoneNamed(zone)
        this.#read = (text) => this.#ofParts(pattern.read(text), text)
      }
    }
    if (zone !== undefined && this.#zone === undefined)
      throw new RangeError(`a time as ${name} needs no zone, because its values say which moment they are`)
  }

  /**
   * Returns a value as ISO 8601 in UTC with every digit, or as a day. A Date is a time already. Throws a RangeError
   * with the reason for a value of another form.
   */
  read(value: unknown): string {
    if (value instanceof Date && !Number.isNaN(value.getTime())) return value.toISOString()
    if (typeof value === 'number' || typeof value === 'bigint') return this.#read(String(value))
    if (value instanceof Decimal) return this.#read(value.text)
    return typeof value === 'string' ? this.#read(value.trim()) : this.#refuse(typeof value)
  }

  #refuse(text: string, reason = ''): never {
    const shown = text.length > 60 ? `${text.slice(0, 57)}…` : text
    throw new RangeError(`${JSON.stringify(shown)} is no time of the form ${JSON.stringify(this.#form.form)}${reason}`)
  }

  /** Reads a number that counts 10^-digits seconds since 1970. `written` is the whole text, for messages. */
  #ofNumber(text: string, digits: number, written = text): string {
    if (!isPlainDecimal(text)) this.#refuse(written)
    const isNegative = text.startsWith('-')
    const [whole = '', decimals = ''] = text.replace(/^[+-]/, '').split('.')
    const padded = whole.padStart(digits + 1, '0')
    const cut = padded.length - digits
    let seconds = Number(padded.slice(0, cut)) * (isNegative ? -1 : 1)
    let fraction = (padded.slice(cut) + decimals).replace(/0+$/, '')
    if (isNegative && fraction !== '') {
      // Half a second before 1970 is half a second behind the last second before it.
      fraction = (10n ** BigInt(fraction.length) - BigInt(fraction)).toString().padStart(fraction.length, '0')
      seconds -= 1
    }
    if (!(seconds >= FIRST_SECOND && seconds <= LAST_SECOND))
      this.#refuse(written, `: its year is not between 1 and 9999. Does it count another unit?`)
    return isoText(seconds, fraction)
  }

  #ofParts(parts: TimeParts | undefined, text: string): string {
    if (!parts) return this.#refuse(text)
    const { year, month, day, hour, minute, second, fraction, offset } = parts
    const date = new Date(0)
    date.setUTCFullYear(year, month - 1, day)
    if (this.isDay) return date.toISOString().slice(0, 10)
    date.setUTCHours(hour, minute, second)
    const wall = date.getTime()
    const seconds = this.#zone ? this.#onClock(wall, this.#zone, text) : wall / 1_000 - this.#offsetOf(offset, text)
    if (seconds < FIRST_SECOND || seconds > LAST_SECOND) this.#refuse(text, ': its year is not between 1 and 9999')
    return isoText(seconds, fraction.replace(/0+$/, ''))
  }

  #onClock(wall: number, zone: Zone, text: string): number {
    const [instant, another] = zone.instantsAt(wall)
    if (instant === undefined) return this.#refuse(text, `: it does not exist in ${zone.name}, whose clock skips it`)
    if (another !== undefined)
      return this.#refuse(text, `: it comes twice in ${zone.name}, whose clock is put back over it`)
    return instant / 1_000
  }

  #offsetOf(offset: TimeParts['offset'], text: string): number {
    if (typeof offset === 'number') return offset
    const name = offset ?? ''
    const own = Object.entries(this.#form.zones ?? {}).find(([zone]) => zone === name)?.[1]
    if (own !== undefined) return offsetSeconds(own)
    const hours = Object.hasOwn(ZONE_HOURS, name.toUpperCase()) ? ZONE_HOURS[name.toUpperCase()] : undefined
    return hours === undefined
      ? this.#refuse(text, `: the zone ${name} is not known. Give its offset, as in zones: { ${name}: '+05:30' }`)
      : hours * 3_600
  }
}

const toNumber = (part: string | undefined): number => Number(part ?? 0)

const MAIL = new RegExp(
  [
    String.raw`^(?:[A-Za-z]{3},\s*)?(?<day>\d\d?)\s+(?<month>[A-Za-z]{3})\s+(?<year>\d{4})`,
    String.raw`\s+(?<hour>\d\d):(?<minute>\d\d)(?::(?<second>\d\d))?`,
    String.raw`\s+(?<zone>[+-]\d{4}|[A-Za-z]{1,5})(?:\s*\(.*\))?$`,
  ].join(''),
)

/** The time of a mail: `Fri, 24 May 2019 17:44:46 +0000`. Weekday and seconds may be missing. */
function mailParts(text: string): TimeParts | undefined {
  const groups = MAIL.exec(text)?.groups
  if (!groups) return undefined
  const { zone = '' } = groups
  const parts = {
    year: toNumber(groups['year']),
    month: monthNumber(groups['month'] ?? ''),
    day: toNumber(groups['day']),
    hour: toNumber(groups['hour']),
    minute: toNumber(groups['minute']),
    second: toNumber(groups['second']),
    fraction: '',
    offset: /^[+-]/.test(zone) ? offsetSeconds(zone) : zone,
  }
  return exists(parts) ? parts : undefined
}

const isoText = (seconds: number, fraction: string): string =>
  `${new Date(seconds * 1_000).toISOString().slice(0, 19)}${fraction === '' ? '' : `.${fraction}`}Z`

const readers = new WeakMap<TimeForm, TimeReader>()

/** Returns the reader of a form, the same object each time. Throws a RangeError for a form that does not exist. */
export function timeReader(form: TimeForm): TimeReader {
  const reader = readers.get(form) ?? new TimeReader(form)
  readers.set(form, reader)
  return reader
}

/** Returns a form as messages and `sluice list --verbose` show it: `YYYY-MM-DD HH:mm in Europe/Berlin`. */
export const timeFormText = ({ form, zone }: TimeForm): string => (zone === undefined ? form : `${form} in ${zone}`)
