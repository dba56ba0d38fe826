import type { FastifyTypeProvider } from 'fastify'
import {
  backfill,
  backfillWithWindows,
  id,
  kind,
  name,
  problem,
  reject,
  run,
  runStatus,
  runWithReport,
  slice,
  sliceStatus,
  summary,
  time,
} from './resources.ts'
import {
  described,
  flag,
  headers,
  integer,
  list,
  nullable,
  object,
  oneOf,
  text,
  textLike,
  withDefault,
} from './schema.ts'
import type { Infer, Schema } from './schema.ts'
import { workNow } from './work.ts'

/** Types what a route receives and sends by its schema. */
export interface SchemaTypes extends FastifyTypeProvider {
  readonly validator: Infer<this['schema']>
  readonly serializer: Infer<this['schema']>
}

const after = described(id, '`next` of the previous page')
const limit = withDefault(integer({ minimum: 1, maximum: 500 }), 50)
const paged = { optional: { after }, defaulted: { limit } } as const
const next = nullable(text)

const problems = { '4xx': problem, '5xx': problem } as const
const answers = <Answer>(answer: Schema<Answer>) => ({ 200: answer, ...problems }) as const
const stream = (type: string, description: string) =>
  ({ 200: { description, content: { [type]: { schema: { type: 'string' } } } }, ...problems }) as const

const started = {
  202: described(
    object({ run: id }),
    'The run has started. With --distribute each stream is a run of its own, and this is the first',
  ),
  ...problems,
} as const
const idempotencyKey = headers({
  'idempotency-key': described(
    textLike({ pattern: /^[\x21-\x7e]{1,200}$/ }),
    'Repeating a request with the same key and body returns the same run',
  ),
})
// Each window that is read at the same time takes a connection; PostgreSQL admits 100 by default.
const concurrency = integer({ minimum: 1, maximum: 16 })
const windows = described(
  list(textLike({ minLength: 1, maxLength: 40 }), { minItems: 1, maxItems: 1_000 }),
  'Lower bounds of the windows to read; all if missing',
)
const only = oneOf('missing', 'failed', 'all')

/** One schema for each route. */
export const schemas = {
  summary: {
    summary: 'Everything at one moment: active runs, streams with their last runs, cursors, rejects, backfills, ticks',
    response: answers(summary),
  },
  events: {
    summary: 'Events as they happen, as server-sent events; resumes after Last-Event-ID',
    querystring: object({}, { optional: { after: id, run: id, pipeline: name } }),
    headers: headers({ 'last-event-id': textLike({ pattern: /^\d{0,18}$/ }) }),
    response: stream('text/event-stream', 'A stream of events'),
  },
  runs: {
    summary: 'Runs, newest first',
    querystring: object(
      {},
      { optional: { ...paged.optional, pipeline: name, kind, status: runStatus }, defaulted: paged.defaulted },
    ),
    response: answers(object({ runs: list(run), next })),
  },
  run: {
    summary: 'One run, with its report',
    params: object({ id }),
    response: answers(runWithReport),
  },
  slices: {
    summary: 'Slices, newest first',
    querystring: object(
      {},
      {
        optional: { ...paged.optional, pipeline: name, stream: name, status: sliceStatus, kind, run: id, backfill: id },
        defaulted: paged.defaulted,
      },
    ),
    response: answers(object({ slices: list(slice), next })),
  },
  rejects: {
    summary: 'Records that could not be stored, newest first',
    querystring: object(
      {},
      {
        optional: { ...paged.optional, pipeline: name, stream: name, run: id, slice: id },
        defaulted: { ...paged.defaulted, settled: withDefault(flag, false) },
      },
    ),
    response: answers(object({ rejects: list(reject), next })),
  },
  backfills: {
    summary: 'Backfills, newest first',
    querystring: object(
      {},
      { optional: { ...paged.optional, pipeline: name, stream: name }, defaulted: paged.defaulted },
    ),
    response: answers(object({ backfills: list(backfill), next })),
  },
  backfill: {
    summary: 'One backfill, with all its windows',
    params: object({ id }),
    response: answers(backfillWithWindows),
  },
  workers: {
    summary: 'Workers that are alive, what each does now, and the pieces of work that wait for one',
    response: answers(workNow),
  },
  startRun: {
    summary: 'Start a run of a pipeline, or of some of its streams',
    headers: idempotencyKey,
    body: object(
      { pipeline: name },
      {
        optional: {
          streams: list(name, { minItems: 1, maxItems: 1_000 }),
          full: flag,
          overlap: oneOf('skip', 'wait', 'fail'),
        },
      },
    ),
    response: started,
  },
  startBackfill: {
    summary: 'Read a range of a stream window by window; the same range and window continue a backfill',
    headers: idempotencyKey,
    body: object(
      {
        pipeline: name,
        stream: name,
        from: textLike({ minLength: 1, maxLength: 40 }),
        to: textLike({ minLength: 1, maxLength: 40 }),
      },
      {
        optional: { window: textLike({ maxLength: 20 }), zone: textLike({ maxLength: 60 }), concurrency, only },
      },
    ),
    response: started,
  },
  retryBackfill: {
    summary: 'Repeat the failed windows of a backfill, or continue with the missing ones',
    headers: idempotencyKey,
    params: object({ id }),
    body: nullable(object({}, { optional: { only, windows, concurrency } })),
    response: started,
  },
  cancelRun: {
    summary: 'Ask a run to stop, in whatever process it runs; complete batches stay committed',
    params: object({ id }),
    body: nullable(object({})),
    response: {
      202: described(object({ run: id, status: runStatus, stopRequestedAt: time }), 'The run was asked to stop'),
      ...problems,
    },
  },
  records: {
    summary: 'The table of a stream, one row of JSON per line, with every digit',
    params: object({ pipeline: name, stream: name }),
    response: stream('application/x-ndjson', 'Rows'),
  },
  health: { summary: 'The process is alive', response: answers(object({ status: text })) },
  ready: {
    summary: 'The database answers and its schema is up to date',
    response: answers(object({ status: text, schema: text })),
  },
  metrics: { summary: 'Metrics for Prometheus', response: stream('text/plain', 'Metrics') },
} as const
