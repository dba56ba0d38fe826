import type { Database } from '../database/database.ts'
import { openText } from '../model/completeness.ts'
import { PausedError, UsageError } from '../model/errors.ts'
import type { RunEvent } from '../model/event.ts'
import type { MostDeletes } from '../model/mirror.ts'
import type { Recipe, Table } from '../model/recipe.ts'
import type { StreamReport } from '../model/report.ts'
import type { ActiveRun } from './active-run.ts'
import type { ResolvedBatch } from './options.ts'
import { problemText } from './report/problem-text.ts'
import type { ReceiptMeter } from './report/receipt.ts'
import type { StreamTally } from './report/stream-tally.ts'

export interface StreamContextOptions {
  readonly batch: ResolvedBatch
  /** @default the table of the stream's definition */
  readonly table?: Table
  /** What a reading of a mirror may delete, instead of the limit of its table. */
  readonly mostDeletes?: MostDeletes | undefined
  /** The report shall have a receipt. @default false */
  readonly hasReceipt?: boolean
  /** False if a mirror shall only note what was read, and delete nothing. @default true */
  readonly deletesMissing?: boolean
}

/** One stream of a run: its definition, its counts, and the run that it belongs to. */
export class StreamContext {
  readonly run: ActiveRun
  /** Name of the stream in its pipeline. */
  readonly stream: string
  readonly pipeline: string
  readonly recipe: Recipe
  readonly table: Table
  readonly batch: ResolvedBatch
  readonly mostDeletes: MostDeletes | undefined
  readonly tally: StreamTally
  readonly hasReceipt: boolean
  readonly deletesMissing: boolean
  /** While the stream runs, if it has a receipt. */
  receipt: ReceiptMeter | undefined

  constructor(run: ActiveRun, stream: string, options: StreamContextOptions) {
    const { batch, table, mostDeletes, hasReceipt = false, deletesMissing = true } = options
    const { pipeline } = run.context
    const flow = pipeline.streams[stream]
    if (!flow) throw new UsageError(`${pipeline.name} has no stream '${stream}'`)
    this.run = run
    this.stream = stream
    this.pipeline = pipeline.name
    this.recipe = flow.recipe
    this.table = table ?? flow.table
    this.batch = batch
    this.mostDeletes = mostDeletes
    this.tally = run.tally(stream)
    this.hasReceipt = hasReceipt
    this.deletesMissing = deletesMissing
  }

  /** `pipeline.stream`, as messages name it. */
  get streamName(): string {
    return `${this.pipeline}.${this.stream}`
  }

  get database(): Database {
    return this.run.context.database
  }

  /** Aborts when the run is to stop, or when this stream is paused. */
  get readSignal(): AbortSignal {
    return this.run.signalOf(this.stream)
  }

  get writeSignal(): AbortSignal {
    return this.run.context.writeSignal
  }

  emit(event: RunEvent): void {
    this.run.emit(event)
  }

  warn(message: string): void {
    this.emit({ type: 'warning', stream: this.stream, message })
  }

  /** Warns, once for the stream, if it is not proven that everything was read. */
  warnIfOpen(): void {
    const reasons = openText(this.tally.accepted)
    if (reasons !== undefined) this.warn(`it is not proven that everything was read: ${reasons}`)
  }

  /** Returns the text of an error for the ledger, the events and the report. It holds no secret. */
  problem(error: unknown, location = this.streamName): string {
    return this.run.context.secrets.hide(problemText(error, location))
  }

  /** Returns the report of a stream that was stopped. If it was paused, a warning says by whom and why. */
  stopped(): StreamReport {
    const { reason } = this.readSignal as { readonly reason: unknown }
    if (reason instanceof PausedError) this.warn(reason.message)
    return this.tally.report('interrupted')
  }

  /** Returns the report of a stream that ended with an error: `interrupted` if it was stopped, else `failed`. */
  fail(error: unknown): StreamReport {
    this.warnIfOpen()
    if (this.readSignal.aborted) return this.stopped()
    const text = this.problem(error)
    this.run.context.onStreamError?.(this.stream, error)
    this.emit({ type: 'stream.failed', stream: this.stream, error: text })
    return this.tally.report('failed', text)
  }
}
