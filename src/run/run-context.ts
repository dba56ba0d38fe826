import type { Database } from '../database/database.ts'
import type { Pipeline } from '../define/pipeline.ts'
import { LinkedSignal } from '../flow/signals/linked-signal.ts'
import type { Retention } from '../ledger/prune.ts'
import type { Secrets } from '../model/scope.ts'
import { readSecrets } from '../observe/secrets.ts'
import { defined } from '../value/defined.ts'
import { environmentOf } from './accounts/environment-of.ts'
import { openStore } from './open-store.ts'
import { resolveMemory, type RunOptions } from './options.ts'
import { retentionOf } from './retention.ts'
import { schemasOf, tablesOf } from './schema-right.ts'
import { runSignals, type RunSignals } from './signals.ts'

export interface RunContextOptions extends Pick<
  RunOptions,
  'database' | 'environment' | 'memory' | 'onEvent' | 'onStreamError' | 'signal'
> {
  /** Connections to the database at once. @default 10 */
  readonly connections?: number
  /** @default the secrets of `environment` */
  readonly secrets?: Secrets
}

interface Opened {
  readonly database: Database
  readonly retention: Retention
  readonly secrets: Secrets
  readonly signals: RunSignals
  readonly stop: LinkedSignal
  readonly resources: AsyncDisposableStack
}

/**
 * The database, the secrets and the signals of one run, whatever its kind. `ActiveRun.start` records the run in the
 * ledger: a run with nothing to do is not recorded.
 */
export class RunContext implements AsyncDisposable {
  readonly pipeline: Pipeline
  readonly database: Database
  readonly secrets: Secrets
  /** How long the ledger keeps what is old. */
  readonly retention: Retention
  /** Aborts when the run is asked to stop: nothing more is read. */
  readonly readSignal: AbortSignal
  /** Aborts 4 s after `readSignal`: nothing more is committed. */
  readonly writeSignal: AbortSignal
  /** Bytes of decoded body text that all streams may hold. */
  readonly memoryLimit: number
  readonly startedAt = new Date()
  readonly #startedMs = performance.now()
  readonly onEvent: RunOptions['onEvent']
  readonly onStreamError: RunOptions['onStreamError']
  readonly #stop: LinkedSignal
  readonly #resources: AsyncDisposableStack

  private constructor(pipeline: Pipeline, options: RunContextOptions, opened: Opened) {
    this.pipeline = pipeline
    this.database = opened.database
    this.secrets = opened.secrets
    this.retention = opened.retention
    this.readSignal = opened.signals.readSignal
    this.writeSignal = opened.signals.writeSignal
    this.memoryLimit = resolveMemory(options.memory)
    this.onEvent = options.onEvent
    this.onStreamError = options.onStreamError
    this.#stop = opened.stop
    this.#resources = opened.resources
  }

  /** Connects to the database and brings its schema `sluice` up to date. */
  static async open(pipeline: Pipeline, options: RunContextOptions): Promise<RunContext> {
    const environment = environmentOf(pipeline, options.environment)
    const { secrets = readSecrets(environment) } = options
    const retention = retentionOf(environment ?? process.env)
    await using opening = new AsyncDisposableStack()
    const stop = opening.use(new LinkedSignal(options.signal))
    const signals = opening.use(runSignals(stop.signal))
    const { database } = opening.use(
      await openStore({
        environment,
        signal: signals.readSignal,
        schemas: schemasOf(tablesOf([pipeline])),
        ...defined({ database: options.database, max: options.connections }),
      }),
    )
    const resources = opening.move()
    return new RunContext(pipeline, options, { database, retention, secrets, signals, stop, resources })
  }

  /** Milliseconds since the run began. */
  get elapsedMs(): number {
    return performance.now() - this.#startedMs
  }

  /** Stops the run: both signals abort with this reason, one after the other. */
  stop(reason: Error): void {
    this.#stop.abort(reason)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#resources.disposeAsync()
  }
}
