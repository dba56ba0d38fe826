import { definitionHash } from '../../read/definition-hash.ts'
import type { Flow } from '../../define/flow.ts'
import { TaskGroup } from '../../flow/task-group.ts'
import { findActiveSync } from '../../ledger/slices/claim.ts'
import { skipDoneElsewhere } from '../../ledger/slices/transitions.ts'
import { setExclusive, type Only } from '../../ledger/slices/windows.ts'
import { planBackfill, readBackfill } from '../../ledger/backfills.ts'
import { readWindows, type StoredWindow } from '../../ledger/read/read-windows.ts'
import { LoadError, SliceLostError } from '../../model/errors.ts'
import type { StreamReport } from '../../model/report.ts'
import type { WindowCounts } from '../../model/window.ts'
import { rejectOverlap } from './reject-overlap.ts'
import { instantText, type CutRange } from './calendar-windows.ts'
import { problemText } from '../report/problem-text.ts'
import type { RunContext, ActiveRun } from '../run-context.ts'
import { hasVersion } from './has-version.ts'
import { besideSync, nextWindow, type NextWindowOptions } from './next-window.ts'
import type { BatchLimits, RunOptions } from '../options.ts'
import { readWindow } from './sync-window.ts'
import { noticeRejects } from '../sync/run-stream.ts'
import { windowWarning } from './windowable.ts'

export interface BackfillStreamOptions extends ActiveRun, CutRange {
  readonly frame: RunContext
  readonly pipeline: string
  readonly stream: string
  readonly flow: Flow<unknown>
  readonly only: Only | undefined
  readonly onlyWindows: readonly string[] | undefined
  readonly concurrency: number
  readonly limits: Required<BatchLimits>
  readonly failed: RunOptions['onStreamError']
}

/**
 * So many windows that fail with none between them that does not: it is not the windows' fault, and the rest would only
 * take time.
 */
const MAX_FAILURES_IN_A_ROW = 10

/**
 * The windows of one stream, several at once, from their plan to what the report says of them. Never throws: other
 * streams go on.
 */
export async function backfillStream(options: BackfillStreamOptions): Promise<StreamReport> {
  const {
    frame: { database, reading, writing, secrets },
    from,
    to,
    window,
    zone,
    emit,
    pipeline,
    stream,
  } = options
  const gauge = options.gauge(stream)
  let id: string | undefined
  const reported = async (status: 'done' | 'interrupted' | 'failed', error?: string): Promise<StreamReport> => {
    const found = id === undefined ? undefined : await readBackfill(database, id, writing).catch(() => undefined)
    return {
      ...gauge.report(status, error),
      ...(found && { backfill: { id: found.id, from, to, window, zone, windows: found.windows } }),
    }
  }
  try {
    const claiming = await plan(options, (made) => {
      id = made
    })
    await readAll(options, claiming)
    const failed = (await readWindows(database, claiming.backfill, { signal: writing })).filter(
      ({ status, lower }) => status === 'failed' && options.onlyWindows?.includes(instantText(lower)) !== false,
    )
    if (failed.length > 0) throw failedWindows(options, failed)
    noticeRejects({ pipeline, stream, gauge, emit })
    return await reported('done')
  } catch (error) {
    if (reading.aborted) return reported('interrupted')
    const text = secrets.hide(problemText(error, `${pipeline}.${stream}`))
    options.failed?.(stream, error)
    emit({ type: 'stream.failed', stream, error: text })
    return reported('failed', text)
  }
}

type Claiming = Omit<NextWindowOptions, 'signal'>

/** What is to be read, written down before anything is asked; `made` is told its number at once. */
async function plan(
  {
    frame,
    flow,
    run,
    keeper,
    emit,
    pipeline,
    stream,
    from,
    to,
    window,
    zone,
    windows,
    only,
    onlyWindows,
    ...options
  }: BackfillStreamOptions,
  made: (id: string) => void,
): Promise<Claiming> {
  const { database, reading: signal } = frame
  const { recipe, table } = flow
  const names = { pipeline, stream }
  const warn = (message: string): void => emit({ type: 'warning', stream, message })
  const exclusive = !(await hasVersion(database, table))
  const active = exclusive ? await findActiveSync(database, names, signal) : undefined
  if (active) throw new SliceLostError(besideSync(names, active.run))
  const warning = windowWarning(flow)
  if (warning !== undefined) warn(warning)

  const definition = definitionHash(recipe, table)
  const planned = await planBackfill(database, {
    ...names,
    from,
    to,
    window,
    zone,
    bounds: [...windows.map(({ lower }) => lower), to],
    run,
    definition,
    signal,
  })
  const backfill = planned.id
  made(backfill)
  options.gauge(stream).slice({ resumed: !planned.created })
  await setExclusive(database, backfill, exclusive, signal)
  if (only === 'missing') await skipDoneElsewhere(database, backfill, signal)
  await rejectOverlap(database, backfill, { ...names, flow, to, warn, signal })

  const stored = await readWindows(database, backfill, { only, onlyWindows, signal })
  emit({
    type: 'backfill.planned',
    stream,
    backfill,
    from,
    to,
    window,
    zone,
    windows: counted(stored),
    toRead: stored.filter(({ isSelected }) => isSelected).length,
    states: stored.map(({ status }) => letters[status]).join(''),
  })
  return { ...names, run, keeper, backfill, only, onlyWindows, definition, resume: table.resumeWithin, emit }
}

const letters = { open: 'o', done: 'd', failed: 'f', skipped: 's' } as const

function counted(windows: readonly StoredWindow[]): WindowCounts {
  const count = (of: StoredWindow['status']): number => windows.filter(({ status }) => status === of).length
  return {
    total: windows.length,
    done: count('done'),
    failed: count('failed'),
    skipped: count('skipped'),
    open: count('open'),
  }
}

/**
 * All windows that are left, in one group: a fault that would meet all of them ends it, and what is whole is committed.
 */
async function readAll(
  {
    frame: { database, reading },
    lend,
    keeper,
    losing,
    emit,
    flow: { recipe, table },
    pipeline,
    stream,
    concurrency,
    limits,
    failed,
    ...options
  }: BackfillStreamOptions,
  claiming: Claiming,
): Promise<void> {
  const gauge = options.gauge(stream)
  const streamName = `${pipeline}.${stream}`
  let inARow = 0
  await using group = new TaskGroup({ signal: reading })
  for (let reader = 0; reader < concurrency; reader += 1) {
    group.spawn(async (signal) => {
      using lent = lend(stream)
      for (;;) {
        const claimed = await nextWindow(database, { ...claiming, signal })
        if (!claimed) return
        const fault = await readWindow(claimed, {
          ...lent,
          scope: { ...lent.scope, signal },
          keeper,
          losing,
          emit,
          gauge,
          stream,
          recipe,
          table,
          streamName,
          limits,
        })
        if (fault !== undefined) failed?.(stream, fault)
        inARow = fault === undefined ? 0 : inARow + 1
        if (inARow >= MAX_FAILURES_IN_A_ROW)
          throw new LoadError(
            `${MAX_FAILURES_IN_A_ROW} windows failed one after the other, the last one: ${problemText(fault, `${streamName}, window ${claimed.lower}`)}. The rest was left: mend what it names, then give the same words again`,
            { cause: fault },
          )
      }
    })
  }
  await group.join()
}

function failedWindows({ windows }: BackfillStreamOptions, failed: readonly StoredWindow[]): LoadError {
  const [first] = failed
  const one = failed.length === 1
  const range = `${instantText(first!.lower)} to ${instantText(first!.upper)}`
  return new LoadError(
    `${one ? '1 window' : `${failed.length.toLocaleString('en-US')} windows`} of ${windows.length.toLocaleString('en-US')} failed, ${one ? `${range},` : `the first one, ${range},`} with: ${first!.error ?? 'no reason that was noted'}. Once it is mended, the same words read ${one ? 'it' : 'them'} again, or with --only failed nothing else`,
  )
}
