import { isConnectionError, sqlState } from '../../database/errors.ts'
import type { Pipeline } from '../../define/pipeline.ts'
import type { FullSchedule } from '../../define/schedule/schedule.ts'
import { LinkedSignal } from '../../flow/signals/linked-signal.ts'
import type { Semaphore } from '../../flow/semaphore.ts'
import { claimTick, skipTick, readTicks, registerSchedule, type KnownTicks } from '../../ledger/ticks.ts'
import { DatabaseError } from '../../model/errors.ts'
import { runTick, type RunTickOptions } from './run-tick.ts'
import { Ticks } from './ticks.ts'
import { messageOf } from '../../value/error.ts'

export interface KeepTimeOptions extends RunTickOptions {
  readonly pipeline: Pipeline
  readonly schedule: FullSchedule
  /** Pipelines that run at once. */
  readonly permits: Semaphore
}

const dayMs = 86_400_000
/** A tick that is this old has been missed. */
const graceMs = 60_000
/** How often is looked whether the other scheduler that runs our pipeline is still there. */
const standbyMs = 15_000
const countedAtMost = 1_000
const stillRunning = 'the pipeline was still running'

/**
 * Run one pipeline at its ticks, until the signal aborts, which rejects.
 *
 * | what there is | what is done |
 * |---|---|
 * | nothing due | wait for the next tick, and its jitter |
 * | a tick that is due | it is run; what comes due meanwhile is left out, fails or waits, as `overlap` says |
 * | ticks that nobody was there for, or whose scheduler has gone | as `catchUp` says: all in order, the last, none; what comes due meanwhile counts among them |
 * | another scheduler runs the pipeline | look again soon: it may go |
 * | the database is away | say so, and try again until it is there |
 */
export async function runScheduleLoop(options: KeepTimeOptions): Promise<never> {
  const {
    pipeline: { name: pipeline },
    schedule,
    database,
    clock,
    emit,
    signal,
  } = options
  const ticks = new Ticks(schedule)
  let takenOn = Number.NEGATIVE_INFINITY
  let busyUntil: Date | undefined
  for (let failures = 0; ;) {
    signal.throwIfAborted()
    try {
      if (clock.now().getTime() - takenOn >= dayMs) {
        // Again each day: old ticks are forgotten with it.
        await registerSchedule(database, pipeline, clock.now(), { signal })
        takenOn = clock.now().getTime()
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
      if (!isOfTheServer(error)) throw error
      failures += 1
      emit({
        type: 'warning',
        pipeline,
        message: `the ledger cannot be asked, and is asked again soon: ${(error as Error).message}`,
      })
      await clock.sleep(Math.min(60_000, 1_000 * 2 ** failures), { signal })
    }
  }
}

/**
 * It may be better later: the server is away, full or held up. A statement that it does not understand (class 42) never
 * is.
 */
function isOfTheServer(error: unknown): boolean {
  return isConnectionError(error) || error instanceof DatabaseError || sqlState(error)?.startsWith('42') === false
}

interface Step {
  readonly tick: Date
  readonly late: boolean
}

/** The tick to run now, if there is one. Ticks that are not to be run are settled. */
async function nextStep(
  known: KnownTicks,
  ticks: Ticks,
  busyUntil: Date | undefined,
  options: KeepTimeOptions,
): Promise<Step | undefined> {
  const { schedule, clock } = options
  const now = clock.now()
  const first = ticks.next(known.after)
  const newest = first > now ? undefined : ticks.last(now)
  const onTime = newest && now.getTime() - newest.getTime() <= graceMs + schedule.jitterMs ? newest : undefined
  // What waits for its turn was not missed.
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

/** The tick before one, unless that is older than the first. */
function before(tick: Date, first: Date, ticks: Ticks): Date | undefined {
  const earlier = ticks.last(new Date(tick.getTime() - 1))
  return earlier && earlier >= first ? earlier : undefined
}

/**
 * Settle ticks as missed: those that were interrupted one by one; of the new ones, which begin with `first`, the last
 * stands for all.
 */
async function miss(
  missed: readonly Date[],
  first: Date | undefined,
  ticks: Ticks,
  { pipeline: { name: pipeline }, database, emit, signal }: KeepTimeOptions,
): Promise<void> {
  const last = missed.at(-1)
  if (!last) return
  let count = first ? missed.length - 1 : missed.length
  if (first) for (let tick = first; tick <= last && count < countedAtMost; tick = ticks.next(tick)) count += 1
  const told = {
    count,
    first: (missed.length > 1 || !first ? missed[0]! : first).toISOString(),
    last: last.toISOString(),
  }
  const note = `${count} ${count === 1 ? 'tick was' : 'ticks were'} missed from ${told.first} to ${told.last}`
  const passed: boolean[] = []
  for (const tick of missed) passed.push(await skipTick(database, pipeline, tick, { status: 'missed', note, signal }))
  if (passed.includes(true)) emit({ type: 'ticks.missed', pipeline, ...told })
}

/** Whether it was ours to run. */
async function runStep({ tick, late }: Step, ticks: Ticks, options: KeepTimeOptions): Promise<boolean> {
  const { pipeline, schedule, database, permits, signal } = options
  using _permit = await permits.acquire({ signal })
  const attempt = await claimTick(database, pipeline.name, tick, { signal })
  if (attempt === undefined) return false
  const running = runTick(pipeline, { pipeline: pipeline.name, tick, attempt }, late, options)
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

/** While a tick runs: settle those that come due, until the signal aborts. */
async function watch(first: Date, ticks: Ticks, options: KeepTimeOptions): Promise<void> {
  const {
    pipeline: { name: pipeline },
    clock,
    emit,
    signal,
  } = options
  try {
    for (let tick = first; ; tick = ticks.next(tick)) {
      await clock.sleep(Math.max(0, tick.getTime() - clock.now().getTime()), { signal })
      await leaveOut(tick, options)
    }
  } catch (error) {
    if (!signal.aborted)
      emit({
        type: 'warning',
        pipeline,
        message: `a tick that came while it was running could not be noted, and counts as missed: ${messageOf(error)}`,
      })
  }
}

async function leaveOut(
  tick: Date,
  { pipeline: { name: pipeline }, schedule, database, emit, signal }: KeepTimeOptions,
): Promise<void> {
  const status = schedule.overlap === 'fail' ? 'failed' : 'skipped'
  if (await skipTick(database, pipeline, tick, { status, note: stillRunning, signal }))
    emit({ type: 'tick.skipped', pipeline, tick: tick.toISOString(), status, reason: stillRunning })
}

/** Another scheduler runs the pipeline: what comes due meanwhile is settled by whoever is first. */
async function standBy(known: KnownTicks, ticks: Ticks, options: KeepTimeOptions): Promise<void> {
  const { schedule, clock, signal } = options
  const next = ticks.next(known.after)
  const ms = next.getTime() - clock.now().getTime()
  if (ms <= 0 && ms >= -graceMs && schedule.overlap !== 'wait') await leaveOut(next, options)
  else await clock.sleep(ms > 0 ? Math.min(ms, standbyMs) : standbyMs, { signal })
}
