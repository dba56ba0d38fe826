import { UsageError } from '../../../model/errors.ts'
import { runWorker } from '../../../run/distribute/run-worker.ts'
import type { WorkerEvent } from '../../../run/distribute/worker-event.ts'
import { defined } from '../../../value/defined.ts'
import type { CommandContext, CommonOptions } from '../../execute-command.ts'
import { printError } from '../../output/print-error.ts'
import { workerLine } from '../../output/worker-line.ts'
import { runsProgress } from '../../progress/runs-progress.ts'
import { findAccounts } from '../sync/run-accounts.ts'

export interface WorkerCommandOptions extends CommonOptions {
  readonly concurrency?: number
  /** Bytes. */
  readonly memory?: number
  readonly json?: boolean
}

/** `sluice worker`: does the work that other processes hand out, until it is stopped. */
export async function workerCommand(
  [words]: [string[]],
  { concurrency, memory, json = false, database }: WorkerCommandOptions,
  context: CommandContext,
): Promise<number> {
  const { signal, verbose, hide } = context
  const { found, failed } = await findAccounts(words, { database }, context)
  for (const { pipeline, streams: [stream] = [] } of found)
    if (stream !== undefined)
      throw new UsageError(`${pipeline.name}.${stream}: a worker works on whole pipelines: give ${pipeline.name}`)
  for (const error of failed) printError(error, context)
  using runs = runsProgress((line) => console.log(line))
  await runWorker(
    found.map(({ pipeline }) => pipeline),
    {
      ...defined({ database, concurrency, memory }),
      signal,
      onEvent: (event) => console.log(hide(json ? jsonLine(event) : workerLine(event))),
      ...(verbose && !json && { onRun: (pipeline, event) => runs.on(pipeline, event) }),
    },
  )
  return 0
}

const jsonLine = (event: WorkerEvent): string =>
  JSON.stringify({ level: levelOf(event), time: new Date().toISOString(), ...event })

const WARNINGS: ReadonlySet<WorkerEvent['type']> = new Set(['warning', 'pipeline.lacked', 'work.left', 'piece.left'])

function levelOf(event: WorkerEvent): 'info' | 'warn' | 'error' {
  if (event.type === 'piece.finished' && event.status === 'failed') return 'error'
  return WARNINGS.has(event.type) ? 'warn' : 'info'
}
