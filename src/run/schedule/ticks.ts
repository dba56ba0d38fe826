import { Cron } from 'croner'
import type { FullSchedule } from '../../define/schedule/schedule.ts'

/**
 * The moments of a schedule, on the clocks of its zone.
 *
 * On the days when clocks change: a pattern that names its hours and minutes (no `*` and no step in them, as in `30 2 *
 * * *`) ticks once a day, at the first of two equal times, and where its time does not exist as soon as the clock has
 * jumped. Any other pattern follows the clock: times that do not exist do not tick, times that come twice tick twice.
 */
export class Ticks {
  readonly #cron: Cron

  constructor({ cron, zone }: Pick<FullSchedule, 'cron' | 'zone'>) {
    this.#cron = new Cron(cron, { timezone: zone, mode: '5-part', fixedTimeRule: 'no-wildcard', paused: true })
  }

  /** The first one after a moment. */
  next(after: Date): Date {
    const next = this.#cron.nextRun(after)
    if (!next) throw new RangeError(`${this.#cron.getPattern()} has no tick after ${after.toISOString()}`)
    return next
  }

  /** The last one up to a moment, itself included. */
  last(until: Date): Date | undefined {
    // Whoever asks in the middle of a second is told of what was before it.
    return this.#cron.previousRuns(1, new Date(until.getTime() + 1))[0]
  }

  /** Those after a moment, up to another one. */
  *between(after: Date, until: Date): Generator<Date> {
    for (let tick = this.next(after); tick <= until; tick = this.next(tick)) yield tick
  }
}
