import { parseInstant, type Instant } from '../../value/instant.ts'
import { UsageError } from '../../model/errors.ts'
import type { Bound, Range } from '../../model/request.ts'

/** What a cursor that is a number counts since 1970. */
export type Unit = 's' | 'ms'

export const isBound = (value: unknown): value is Bound =>
  typeof value === 'object' && value !== null && 'bound' in value

/**
 * One end of the range, in the form that a request asks for it; numbers for times in numbers, so that JSON holds them
 * as such.
 */
export function boundText({ bound, as }: Bound, range: Range, unit: Unit | undefined): string | number | undefined {
  const text = range[bound]
  if (text === undefined || as === undefined) return text
  const moment = momentOf(text, unit)
  if (!moment)
    throw new UsageError(
      `${bound}: '${text}' is no moment that could be sent as ${as}: give a date, or send it as it is`,
    )
  const ms = moment.seconds * 1_000 + Number(moment.fraction.padEnd(3, '0').slice(0, 3))
  // What is coarser than the range must not cut off its end: the few records too many are filtered.
  const rounded = bound === 'until' ? ceilTo : floorTo
  switch (as) {
    case 'unix':
      return rounded(ms, 1_000, moment) / 1_000
    case 'unix ms':
      return rounded(ms, 1, moment)
    case 'date':
      return new Date(rounded(ms, 86_400_000, moment)).toISOString().slice(0, 10)
  }
}

const floorTo = (ms: number, step: number): number => Math.floor(ms / step) * step
const ceilTo = (ms: number, step: number, { fraction }: Instant): number =>
  Math.ceil((fraction.length > 3 ? ms + 0.5 : ms) / step) * step

/** The moment that a cursor's text means: a date, or a number of its unit; without a unit a number counts seconds. */
export function momentOf(text: string, unit: Unit | undefined): Instant | undefined {
  const [, whole, fraction = ''] = /^(-?\d+)(?:\.(\d+))?$/.exec(text) ?? []
  if (whole === undefined) return parseInstant(text)
  if (unit !== 'ms') return { seconds: Number(whole), fraction }
  const seconds = Math.floor(Number(whole) / 1_000)
  return { seconds, fraction: String(Number(whole) - seconds * 1_000).padStart(3, '0') + fraction }
}
