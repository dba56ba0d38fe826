import { Cron } from 'croner'
import type { FullSchedule } from '../../define/schedule/schedule.ts'

/**
 * Computes the ticks of a schedule in its time zone.
 *
 * On days when the clock changes, a pattern with fixed hours and minutes, such as `30 2 * * *`, ticks once a day: at
 * the first of two equal times, or right after the jump if its time does not exist. Any other pattern follows the
 * clock: a time that does not exist has no tick, and a time that occurs twice has two.
 */
export class Ticks {
  readonly #cron: Cron

  constructor({ cron, zone }: Pick<FullSchedule, 'cron' | 'zone'>) {
    this.#cron = new Cron(cron, { timezone: zone, mode: '5-part', fixedTimeRule: 'no-wildcard', paused: true })
  }

  /** Returns the first tick after an instant. */
  next(after: Date): Date {
    const next = this.#cron.nextRun(after)
    if (!next) throw new RangeError(`${this.#cron.getPattern()} has no tick after ${after.toISOString()}`)
    return next
  }

  /** Returns the last tick up to an instant, which is included. */
  last(until: Date): Date | undefined {
    // The library rounds an instant down to its second.
    return this.#cron.previousRuns(1, new Date(until.getTime() + 1))[0]
  }

  /** Yields the ticks after an instant, up to another one. */
  *between(after: Date, until: Date): Generator<Date> {
    for (let tick = this.next(after); tick <= until; tick = this.next(tick)) yield tick
  }
}
