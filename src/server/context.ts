import type { FastifyBaseLogger, FastifyInstance, RawReplyDefaultExpression } from 'fastify'
import type { RawRequestDefaultExpression, RawServerDefault } from 'fastify'
import type { Database } from '../database/database.ts'
import type { EventHub } from './events/event-hub.ts'
import type { Runner } from './runner.ts'
import type { SchemaTypes } from './schemas/routes.ts'
import type { ServedPipelines } from './served-pipelines.ts'

/** Fastify, with requests and answers typed by the schema of each route. */
export type App = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  SchemaTypes
>

/** Shared by all routes. */
export interface Context {
  readonly database: Database
  readonly hub: EventHub
  readonly runner: Runner
  readonly served: Pick<ServedPipelines, 'byName' | 'accounts' | 'find' | 'findings'>
  /** Passed to every run that the server starts. */
  readonly runOptions: {
    readonly database?: string | undefined
    readonly environment: Readonly<Record<string, string | undefined>>
  }
  /** Workers read what requests start, as long as one is alive that can. */
  readonly distribute: boolean
  /** Replaces secrets in a text. */
  readonly hide: (text: string) => string
  readonly onError: (error: unknown) => void
  readonly clientTimeoutMs: number
  /** Counts of the answers that are being streamed. */
  readonly openStreams: { watchers: number; exports: number }
  /** Aborts when the server closes. */
  readonly signal: AbortSignal
}
