import { duration, durationText } from '../../value/duration.ts'
import { isZoneName } from '../../value/zone.ts'
import { UsageError } from '../../model/errors.ts'
import type { CatchUp, Cron, Overlap, Schedule } from '../../model/recipe.ts'
import { parseCron, shortestGap } from './cron.ts'
import { rejectUnknownOptions, type OptionNames } from '../../model/unknown-option.ts'
import { checkValue } from '../check-value.ts'

/** A schedule with the defaults of everything that was left out. */
export interface FullSchedule {
  readonly cron: Cron
  readonly zone: string
  readonly jitterMs: number
  readonly catchUp: CatchUp
  readonly overlap: Overlap
}

export const catchUps: readonly CatchUp[] = ['all', 'last', 'none']
export const overlaps: readonly Overlap[] = ['skip', 'wait', 'fail']

/** Returns the schedule of a pipeline, or undefined if it runs on command only. */
export function scheduleOf({ schedule }: { readonly schedule?: Cron | Schedule }): FullSchedule | undefined {
  if (schedule === undefined) return undefined
  const {
    cron,
    zone = 'UTC',
    jitter = 0,
    catchUp = 'last',
    overlap = 'skip',
  } = typeof schedule === 'string' ? { cron: schedule } : schedule
  return { cron: cron.trim().split(/\s+/).join(' ') as Cron, zone, jitterMs: duration(jitter), catchUp, overlap }
}

/** Returns a schedule for lists, such as `0 4 * * * Europe/Berlin`. */
export function scheduleText(given: { readonly schedule?: Cron | Schedule }): string | undefined {
  const schedule = scheduleOf(given)
  if (!schedule) return undefined
  return [
    schedule.cron,
    schedule.zone !== 'UTC' && schedule.zone,
    schedule.jitterMs > 0 && `+${durationText(schedule.jitterMs)}`,
  ]
    .filter(Boolean)
    .join(' ')
}

const OPTIONS: OptionNames<Schedule> = { cron: true, zone: true, jitter: true, catchUp: true, overlap: true }

/** Returns the schedule as it was given, frozen. Throws a UsageError that names a wrong field. */
export function checkedSchedule(schedule: Cron | Schedule, place: string): Cron | Schedule {
  if (typeof schedule === 'string') {
    parseCron(schedule, place)
    return schedule
  }
  if (typeof schedule !== 'object' || schedule === null || typeof schedule.cron !== 'string')
    throw new UsageError(
      `${place}: the schedule is text with five fields, as in '*/15 * * * *', ` +
        'or { cron, zone, jitter, catchUp, overlap }',
    )
  rejectUnknownOptions(`${place}: schedule`, schedule, OPTIONS)
  const { cron, zone, jitter, catchUp, overlap } = schedule
  const fields = parseCron(cron, place)
  if (zone !== undefined && !isZoneName(zone))
    throw new UsageError(
      `${place}: schedule.zone ${JSON.stringify(zone)} is no time zone: write its name, as in 'Europe/Berlin'`,
    )
  if (jitter !== undefined) {
    checkValue(`${place}: schedule.jitter`, () => duration(jitter))
    const gap = shortestGap(fields)
    if (duration(jitter) >= gap)
      throw new UsageError(
        `${place}: schedule.jitter must be less than the ${durationText(gap)} between two ticks, ` +
          `not ${durationText(duration(jitter))}`,
      )
  }
  mustBeOf(catchUps, catchUp, `${place}: schedule.catchUp`)
  mustBeOf(overlaps, overlap, `${place}: schedule.overlap`)
  return Object.freeze({ ...schedule })
}

function mustBeOf(values: readonly string[], value: string | undefined, place: string): void {
  if (value !== undefined && !values.includes(value))
    throw new UsageError(
      `${place} is ${values
        .map((one) => `'${one}'`)
        .join(', ')
        .replace(/, (?=[^,]*$)/, ' or ')}, not ${JSON.stringify(value)}`,
    )
}

/** Describes when a pipeline runs, for people. */
export function whenText(given: Parameters<typeof scheduleOf>[0]): string {
  const full = scheduleOf(given)
  if (!full) return 'on command only'
  const details = [
    full.catchUp !== 'last' && `catch-up ${full.catchUp}`,
    full.overlap !== 'skip' && `overlap ${full.overlap}`,
  ].filter(Boolean)
  return [scheduleText(given), ...details].join(', ')
}
