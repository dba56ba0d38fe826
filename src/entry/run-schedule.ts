import type { AccountsPipeline, Pipeline } from '../define/pipeline.ts'
import { rejectRenamedWords } from '../define/renamed-words.ts'
import { rejectUnknownOptions, type OptionNames } from '../model/unknown-option.ts'
import type { ScheduleOptions } from '../run/schedule/schedule.ts'

/**
 * Runs pipelines at the ticks of their schedules until `signal` aborts. Then it stops every run that it started, and
 * resolves. A run that fails stops nothing else. The promise rejects only for an error that concerns all pipelines.
 *
 * The ledger records each tick. Several schedulers on one database run each tick once, and a scheduler that was down
 * knows which ticks it missed.
 *
 * @example
 * await runSchedule([billing, forum], { database: process.env.DATABASE_URL, signal, onEvent: console.log })
 */
export async function runSchedule(
  pipelines: readonly (Pipeline | AccountsPipeline)[],
  options: ScheduleOptions = {},
): Promise<void> {
  rejectRenamedWords('runSchedule()', options, { on: 'onEvent' })
  rejectUnknownOptions('runSchedule()', options, OPTIONS)
  const { runScheduler } = await import('../run/schedule/schedule.ts')
  await runScheduler(pipelines, options)
}

const OPTIONS: OptionNames<ScheduleOptions> = {
  database: true,
  environment: true,
  catchUp: true,
  overlap: true,
  timeout: true,
  concurrency: true,
  distribute: true,
  clock: true,
  onEvent: true,
  onRun: true,
  signal: true,
}
