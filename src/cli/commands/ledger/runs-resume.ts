import { noteChange } from '../../../ledger/changes.ts'
import { readRun, type StoredRun } from '../../../ledger/read/read-runs.ts'
import { abandonRun } from '../../../ledger/abandon.ts'
import { UsageError } from '../../../model/errors.ts'
import { author } from '../../../run/author.ts'
import { openStore } from '../../../run/open-store.ts'
import { defined } from '../../../value/defined.ts'
import type { CommandContext, CommonOptions } from '../../execute-command.ts'
import { backfillCommand } from '../sync/backfill.ts'
import { runCommand } from '../sync/run.ts'

interface ByHandOptions extends CommonOptions {
  readonly why?: string
  readonly json?: boolean
}

/** `sluice runs resume`: starts what a run has not ended once more, with its streams and its range. */
export async function runsResumeCommand(
  [id]: [string],
  options: ByHandOptions,
  context: CommandContext,
): Promise<number> {
  const { database, why, json } = options
  const run = await (async () => {
    await using store = await openStore({ database, signal: context.signal })
    const known = await endedRun(store.database, id)
    if (known.status === 'done') throw new UsageError(`Run ${id} is done, so there is nothing to resume`)
    if (known.kind === 'replay')
      throw new UsageError(`Run ${id} is a replay. To replay again: sluice rejects replay ${known.pipeline}`)
    await noteChange(store.database, { ...author(why), pipeline: known.pipeline, run: id, change: 'resumed' })
    return known
  })()
  const { pipeline, kind } = run
  const recorded = run.options as RecordedOptions
  const streams = unfinished(run, recorded)
  const common = defined({ database, json })
  if (kind === 'sync') {
    const names = streams.length === 0 ? [pipeline] : streams.map((stream) => `${pipeline}.${stream}`)
    return runCommand([names], common, context)
  }
  const { from = '', to = '', window = '1d', zone = 'UTC', concurrency, only } = recorded
  const [stream, other] = streams
  const name = stream === undefined || other !== undefined ? pipeline : `${pipeline}.${stream}`
  return backfillCommand([name], { ...common, from, to, window, zone, ...defined({ concurrency, only }) }, context)
}

/** `sluice runs abandon`: the next run begins again, and does not go on where this one has stopped. */
export async function runsAbandonCommand(
  [id]: [string],
  { database, why }: ByHandOptions,
  { signal }: CommandContext,
): Promise<number> {
  await using store = await openStore({ database, signal })
  const { pipeline, kind } = await endedRun(store.database, id)
  if (kind === 'backfill')
    throw new UsageError(`Run ${id} is a backfill: it goes on only if the same command is started, or resumed`)
  const streams = await abandonRun(store.database, { id, pipeline }, author(why))
  if (streams.length === 0) {
    console.log(`Run ${id} of ${pipeline} has left nothing open that a run would go on with`)
    return 0
  }
  const names = streams.map((stream) => `${pipeline}.${stream}`).join(', ')
  console.log(`${names}: the next run begins again where run ${id} began, not after its last commit`)
  return 0
}

/** Returns the streams that the run has not ended: a stream without a cursor would be stored once more. */
function unfinished({ id, pipeline, report }: StoredRun, { streams = [], full, handedOutBy }: RecordedOptions) {
  if (handedOutBy !== undefined)
    throw new UsageError(`Run ${id} read windows of run ${handedOutBy} for it. Resume that one`)
  const statusOf = (stream: string) => report?.streams[stream]?.status
  const left = streams.filter((stream) => statusOf(stream) !== 'done')
  const first = left.find((stream) => full === true && report && statusOf(stream) === 'not run')
  if (first !== undefined)
    throw new UsageError(
      `Run ${id} was to read ${pipeline}.${first} in full and has not begun to: sluice run ${pipeline}.${first} --full`,
    )
  return left
}

/** What `sluice runs` shows as the options of a run. */
interface RecordedOptions {
  readonly streams?: readonly string[]
  readonly from?: string
  readonly to?: string
  readonly window?: string
  readonly zone?: string
  readonly concurrency?: number
  readonly only?: 'missing' | 'failed' | 'all'
  readonly full?: boolean
  readonly handedOutBy?: string
}

async function endedRun(database: Parameters<typeof readRun>[0], id: string): Promise<StoredRun> {
  const known = await readRun(database, id)
  if (!known) throw new UsageError(`There is no run ${id}. See: sluice runs`)
  if (known.status === 'running') throw new UsageError(`Run ${id} is running. To stop it: sluice cancel ${id}`)
  return known
}
