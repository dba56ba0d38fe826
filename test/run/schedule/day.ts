import { pipeline, source, type Pipeline } from '../../../src/index.ts'
import { runScheduler, type ScheduleOptions } from '../../../src/run/schedule/schedule.ts'
import type { ScheduleEvent } from '../../../src/run/schedule/schedule-event.ts'
import type { TestDatabase } from '../../support/database.ts'
import { FakeClock } from '../../support/fake-clock.ts'

const minutes = (count: number): number => count * 60_000

/** A day under a clock of one's own: pipelines that take some of its minutes, and the schedulers that run them. */
export class Day {
  readonly clock: FakeClock
  readonly database: TestDatabase
  /** When something was read, and of what. */
  readonly reads: { readonly pipeline: string; readonly at: string }[] = []
  mostAtOnce = 0
  readonly #pipelines = new Map<string, Pipeline>()
  readonly #reading = new Map<string, number>()

  constructor(database: TestDatabase, from: string) {
    this.database = database
    this.clock = new FakeClock(from)
  }

  pipeline(
    name: string,
    given: Exclude<Pipeline['schedule'], undefined>,
    takes: number,
    { fails }: { readonly fails?: (at: Date) => boolean } = {},
  ): void {
    const { clock, reads } = this
    const own = source<{ id: string }>(async function* (this: void, { signal }) {
      const at = clock.now()
      reads.push({ pipeline: name, at: at.toISOString() })
      enter(1)
      try {
        await clock.sleep(minutes(takes), { signal })
        if (fails?.(at)) throw new Error('the API is down')
        yield { records: [{ id: at.toISOString() }] }
      } finally {
        enter(-1)
      }
    })
    const enter = (one: number): void => {
      const now = (this.#reading.get(name) ?? 0) + one
      this.#reading.set(name, now)
      this.mostAtOnce = Math.max(this.mostAtOnce, now)
    }
    this.#pipelines.set(
      name,
      pipeline(name, { schedule: given, streams: { rows: own.into(`t.${name}`, { key: 'id' }) } }),
    )
  }

  /** Runs schedulers side by side until an instant of the clock. Returns the events of each. */
  async until(moment: string, options: Partial<ScheduleOptions> = {}, schedulers = 1): Promise<ScheduleEvent[][]> {
    const stop = new AbortController()
    const all = [...this.#pipelines.values()]
    const emitted: ScheduleEvent[][] = Array.from({ length: schedulers }, () => [])
    // Whoever waits for a tick sleeps once; who runs one sleeps in its source, and once more where it watches for what
    // comes meanwhile.
    const sleeping = emitted.map(() => new Map(all.map(({ name }) => [name, 1])))
    const failed: unknown[] = []
    const running = emitted.map((events, index) =>
      runScheduler(all, {
        database: this.database.url,
        clock: this.clock,
        signal: stop.signal,
        ...options,
        onEvent: (event) => {
          events.push(event)
          if (event.type === 'tick.started')
            sleeping[index]!.set(event.pipeline, event.late || overlapOf(event.pipeline) === 'wait' ? 1 : 2)
          if (event.type === 'tick.finished') sleeping[index]!.set(event.pipeline, 1)
        },
      }).catch((error: unknown) => {
        failed.push(error)
        stop.abort(error)
      }),
    )
    const overlapOf = (name: string): string =>
      options.overlap ?? (this.#pipelines.get(name)!.schedule as { overlap?: string }).overlap ?? 'skip'
    await this.clock
      .goOn(moment, () => sleeping.flatMap((one) => [...one.values()]).reduce((sum, one) => sum + one, 0), {
        signal: stop.signal,
      })
      .catch(() => {})
    // What came at the very end has its turn.
    stop.abort(new Error('the day is over'))
    await Promise.all(running)
    if (failed.length > 0) throw failed[0]
    return emitted
  }

  /** Nobody is there until then. */
  sleepUntil(moment: string): Promise<void> {
    return this.clock.goOn(moment, () => 0, { signal: AbortSignal.timeout(1_000) })
  }

  async ticks(pipeline: string): Promise<string[]> {
    const rows = await this.database.database.query<{ tick: Date; status: string }>(
      'select tick, status from sluice.ticks where pipeline = $1 order by tick',
      [pipeline],
    )
    return rows.map(({ tick, status }) => `${tick.toISOString().slice(11, 16)} ${status}`)
  }
}

/** `00:15`, `00:30`, … */
export function times(everyMinutes: number, from: number, to: number): string[] {
  return Array.from({ length: (to - from) / everyMinutes + 1 }, (_, n) =>
    new Date(minutes(from + n * everyMinutes)).toISOString().slice(11, 16),
  )
}
export const startedAt = (events: readonly ScheduleEvent[], late?: boolean): string[] =>
  events.flatMap((event) =>
    event.type === 'tick.started' && (late === undefined || event.late === late) ? [event.tick.slice(11, 16)] : [],
  )
