import { isConnectionError } from '../../database/errors.ts'
import type { Pipeline } from '../../define/pipeline.ts'
import type { FullSchedule } from '../../define/schedule/schedule.ts'
import { LinkedSignal } from '../../flow/signals/linked-signal.ts'
import type { Semaphore } from '../../flow/semaphore.ts'
import { claimTick, skipTick, readTicks, registerSchedule, type KnownTicks } from '../../ledger/ticks.ts'
import { DatabaseError } from '../../model/errors.ts'
import { isPassing } from '../is-passing.ts'
import { runTick, type RunTickOptions } from './run-tick.ts'
import { Ticks } from './ticks.ts'
import { messageOf, toError } from '../../value/error.ts'

export interface ScheduleLoopOptions extends RunTickOptions {
  readonly pipeline: Pipeline
  readonly schedule: FullSchedule
  /** Pipelines that run at once. */
  readonly permits: Semaphore
  /** Accounts of the pipeline that run at once. @default no limit of their own */
  readonly accountPermits?: Semaphore | undefined
  /** Returns the pipeline as it is at a tick, because values of an account may change. @default `pipeline` */
  readonly current?: ((tick: Date) => Promise<Pipeline>) | undefined
  /** Ticks count from here on, if the ledger does not know the pipeline yet. @default now */
  readonly since?: Date | undefined
}

/** Interval between two registrations of a schedule. Each also deletes old ticks. */
const REGISTER_MS = 86_400_000
/** A tick that is older than this was missed. */
const GRACE_MS = 60_000
/** Interval between two checks of another scheduler that runs the pipeline. */
const STANDBY_MS = 15_000
/** Missed ticks are counted up to this number. */
const MAX_COUNTED_TICKS = 1_000
const STILL_RUNNING = 'the pipeline was still running'

/**
 * Runs one pipeline at its ticks. Rejects with the signal's reason as it aborts.
 *
 * | state | action |
 * |---|---|
 * | no tick is due | waits for the next tick, and its jitter |
 * | a tick is due | runs it; ticks that come due during the run are skipped, fail or wait, as `overlap` says |
 * | ticks were missed, or their scheduler is gone | runs all in order, the last, or none, as `catchUp` says |
 * | another scheduler runs the pipeline | checks again after 15 s |
 * | the database cannot be reached | emits a warning, and tries again until it can |
 */
export async function runScheduleLoop(options: ScheduleLoopOptions): Promise<never> {
  const {
    pipeline: { name: pipeline },
    schedule,
    database,
    clock,
    emit,
    signal,
  } = options
  const ticks = new Ticks(schedule)
  let registeredMs = Number.NEGATIVE_INFINITY
  let busyUntil: Date | undefined
  for (let failures = 0; ;) {
    signal.throwIfAborted()
    try {
      if (clock.now().getTime() - registeredMs >= REGISTER_MS) {
        await registerSchedule(database, pipeline, options.since ?? clock.now(), { signal })
        registeredMs = clock.now().getTime()
      }
      const known = await readTicks(database, pipeline, { signal })
      failures = 0
      if (known.running) {
        await standBy(known, ticks, options)
        continue
      }
      const step = await nextStep(known, ticks, busyUntil, options)
      if (!step) {
        const now = clock.now()
        const next = ticks.next(now > known.after ? now : known.after)
        await clock.sleep(next.getTime() + Math.random() * schedule.jitterMs - now.getTime(), { signal })
        continue
      }
      if (await runStep(step, ticks, options)) busyUntil = clock.now()
    } catch (error) {
      signal.throwIfAborted()
      if (!isPassing(error)) throw error
      failures += 1
      emit({
        type: 'warning',
        pipeline,
        message: `the ledger cannot be read; the scheduler tries again: ${messageOf(error)}`,
      })
      await clock.sleep(Math.min(60_000, 1_000 * 2 ** failures), { signal })
    }
  }
}

interface Step {
  readonly tick: Date
  readonly late: boolean
}

/** Returns the tick to run now, if there is one. Settles ticks that are not to be run. */
async function nextStep(
  known: KnownTicks,
  ticks: Ticks,
  busyUntil: Date | undefined,
  options: ScheduleLoopOptions,
): Promise<Step | undefined> {
  const { schedule, clock } = options
  const now = clock.now()
  const first = ticks.next(known.after)
  const newest = first > now ? undefined : ticks.last(now)
  const onTime = newest && now.getTime() - newest.getTime() <= GRACE_MS + schedule.jitterMs ? newest : undefined
  // A tick that waited for the run before it was not missed.
  const hasWaited = schedule.overlap === 'wait' && newest !== undefined && busyUntil !== undefined && first <= busyUntil
  const catchUp = schedule.catchUp === 'none' && hasWaited ? 'last' : schedule.catchUp
  if (catchUp === 'all') {
    const tick = known.interrupted[0] ?? (newest && first)
    return tick && { tick, late: tick.getTime() !== onTime?.getTime() }
  }
  const tick = onTime ?? (catchUp === 'none' ? undefined : (newest ?? known.interrupted.at(-1)))
  const lastMissed = newest && (tick === newest ? before(newest, first, ticks) : newest)
  await miss(
    [...known.interrupted.filter((one) => one !== tick), ...(lastMissed ? [lastMissed] : [])],
    lastMissed && first,
    ticks,
    options,
  )
  return tick && { tick, late: tick !== onTime }
}

/** Returns the tick before another one, unless it is older than `first`. */
function before(tick: Date, first: Date, ticks: Ticks): Date | undefined {
  const earlier = ticks.last(new Date(tick.getTime() - 1))
  return earlier && earlier >= first ? earlier : undefined
}

/**
 * Settles ticks as missed: each interrupted one by itself, and the new ones from `first` on by the last of them.
 */
async function miss(
  missed: readonly Date[],
  first: Date | undefined,
  ticks: Ticks,
  { pipeline: { name: pipeline }, database, emit, signal }: ScheduleLoopOptions,
): Promise<void> {
  const [earliest] = missed
  const last = missed.at(-1)
  if (!earliest || !last) return
  let count = first ? missed.length - 1 : missed.length
  if (first) for (let tick = first; tick <= last && count < MAX_COUNTED_TICKS; tick = ticks.next(tick)) count += 1
  const range = {
    count,
    first: (missed.length > 1 || !first ? earliest : first).toISOString(),
    last: last.toISOString(),
  }
  const note = `${count} ${count === 1 ? 'tick was' : 'ticks were'} missed from ${range.first} to ${range.last}`
  const skipped: boolean[] = []
  for (const tick of missed) skipped.push(await skipTick(database, pipeline, tick, { status: 'missed', note, signal }))
  if (skipped.includes(true)) emit({ type: 'ticks.missed', pipeline, ...range })
}

/** Claims a tick and runs it. Returns false if another scheduler has it. */
async function runStep({ tick, late }: Step, ticks: Ticks, options: ScheduleLoopOptions): Promise<boolean> {
  const { schedule, database, permits, accountPermits, signal } = options
  using _account = await accountPermits?.acquire({ signal })
  using _permit = await permits.acquire({ signal })
  const pipeline = await currentPipeline(tick, options)
  const { name } = options.pipeline
  const attempt = await claimTick(database, name, tick, { signal })
  if (attempt === undefined) return false
  const running = runTick(pipeline, { pipeline: name, tick, attempt }, late, options)
  using over = new LinkedSignal(signal)
  const watching =
    late || schedule.overlap === 'wait'
      ? undefined
      : watch(ticks.next(tick), ticks, { ...options, signal: over.signal })
  try {
    await running
  } finally {
    over.abort(undefined)
    await watching
  }
  return true
}

/** Returns the pipeline as it is at a tick, or why the tick fails. */
async function currentPipeline(
  tick: Date,
  { current, pipeline, signal }: ScheduleLoopOptions,
): Promise<Pipeline | Error> {
  try {
    return (await current?.(tick)) ?? pipeline
  } catch (error) {
    signal.throwIfAborted()
    // The tick is not lost while the database cannot be reached.
    if (isConnectionError(error) || error instanceof DatabaseError) throw error
    return toError(error)
  }
}

/** Settles ticks that come due during a run, until the signal aborts. */
async function watch(first: Date, ticks: Ticks, options: ScheduleLoopOptions): Promise<void> {
  const {
    pipeline: { name: pipeline },
    clock,
    emit,
    signal,
  } = options
  try {
    for (let tick = first; ; tick = ticks.next(tick)) {
      await clock.sleep(Math.max(0, tick.getTime() - clock.now().getTime()), { signal })
      await skipDueTick(tick, options)
    }
  } catch (error) {
    if (!signal.aborted)
      emit({
        type: 'warning',
        pipeline,
        message: `a tick that was due during a run could not be recorded, and counts as missed: ${messageOf(error)}`,
      })
  }
}

async function skipDueTick(
  tick: Date,
  { pipeline: { name: pipeline }, schedule, database, emit, signal }: ScheduleLoopOptions,
): Promise<void> {
  const status = schedule.overlap === 'fail' ? 'failed' : 'skipped'
  if (await skipTick(database, pipeline, tick, { status, note: STILL_RUNNING, signal }))
    emit({ type: 'tick.skipped', pipeline, tick: tick.toISOString(), status, reason: STILL_RUNNING })
}

/** Waits while another scheduler runs the pipeline. The first of the two to see a tick that is due settles it. */
async function standBy(known: KnownTicks, ticks: Ticks, options: ScheduleLoopOptions): Promise<void> {
  const { schedule, clock, signal } = options
  const next = ticks.next(known.after)
  const ms = next.getTime() - clock.now().getTime()
  if (ms <= 0 && ms >= -GRACE_MS && schedule.overlap !== 'wait') await skipDueTick(next, options)
  else await clock.sleep(ms > 0 ? Math.min(ms, STANDBY_MS) : STANDBY_MS, { signal })
}
