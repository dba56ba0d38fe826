import type { Database } from '../database/database.ts'
import type { Pipeline } from '../define/pipeline.ts'
import type { EventHub } from './events/event-hub.ts'
import type { Runner } from './runner.ts'

/** What routes answer from. */
export interface Context {
  readonly database: Database
  readonly hub: EventHub
  readonly runner: Runner
  readonly pipelines: ReadonlyMap<string, Pipeline>
  /** Where runs find the database and their secrets: as the server was told. */
  readonly runOptions: {
    readonly database?: string | undefined
    readonly environment: Readonly<Record<string, string | undefined>>
  }
  readonly hide: (text: string) => string
  readonly onError: (error: unknown) => void
  readonly clientTimeoutMs: number
  /** Answers that go on. */
  readonly openStreams: { watchers: number; exports: number }
  /** Aborts when the server ends. */
  readonly signal: AbortSignal
}
