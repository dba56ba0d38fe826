// What may be asked and what is answered, as JSON schemas: they refuse, they render, and they make the OpenAPI
// document.

const text = { type: 'string' } as const
const flag = { type: 'boolean' } as const
const number = { type: 'number' } as const
const orNull = { string: { type: ['string', 'null'] }, number: { type: ['number', 'null'] } } as const
const time = { type: 'string', description: 'A moment, in UTC' } as const
const timeOrNull = { type: ['string', 'null'], description: 'A moment, in UTC' } as const
const id = { type: 'string', pattern: String.raw`^\d{1,18}$` } as const
const name = { type: 'string', pattern: String.raw`^\w[\w-]{0,199}$` } as const
const any = { type: 'object', additionalProperties: true } as const
const anyOrNull = { type: ['object', 'null'], additionalProperties: true } as const
const list = <Item>(items: Item) => ({ type: 'array', items }) as const

/** An object of exactly these members, all of which are there. */
const object = <Members extends Record<string, unknown>>(properties: Members) =>
  ({ type: 'object', properties, required: Object.keys(properties), additionalProperties: false }) as const

const kind = { type: 'string', enum: ['sync', 'backfill', 'replay'] } as const
const runStatus = { type: 'string', enum: ['running', 'done', 'failed', 'interrupted'] } as const

const counts = object({
  fetched: number,
  expanded: number,
  inserted: number,
  updated: number,
  unchanged: number,
  filtered: number,
  duplicate: number,
  rejected: number,
  parents: number,
})

const run = {
  run: id,
  pipeline: text,
  kind,
  status: runStatus,
  startedAt: time,
  finishedAt: timeOrNull,
  ms: orNull.number,
  error: orNull.string,
  stopAskedAt: timeOrNull,
  counts,
  streams: list(text),
}
const gauge = {
  ...anyOrNull,
  description: 'How it stood when it last told so: the members of a gauge event, with its time',
}

const slice = {
  slice: id,
  pipeline: text,
  stream: text,
  kind,
  status: { type: 'string', enum: ['open', 'done', 'failed', 'dropped'] },
  held: flag,
  run: id,
  begunBy: id,
  since: orNull.string,
  until: orNull.string,
  backfill: orNull.string,
  lower: timeOrNull,
  upper: timeOrNull,
  counts,
  batches: number,
  createdAt: time,
  finishedAt: timeOrNull,
  error: orNull.string,
}

const reject = {
  reject: id,
  run: id,
  slice: id,
  pipeline: text,
  stream: text,
  stage: text,
  reason: text,
  record: { type: 'string', description: 'JSON as text, with every digit' },
  parents: orNull.string,
  createdAt: time,
  replayedAt: timeOrNull,
}

const backfill = {
  backfill: id,
  pipeline: text,
  stream: text,
  from: time,
  to: time,
  window: text,
  zone: text,
  createdAt: time,
  windows: number,
  todo: number,
  running: number,
  done: number,
  failed: number,
  skipped: number,
  counts,
}

const fault = object({ error: object({ place: text, fault: text, remedy: text }) })

const streamRun = object({
  run: id,
  kind,
  status: runStatus,
  startedAt: time,
  finishedAt: timeOrNull,
  ms: orNull.number,
  counts,
  error: orNull.string,
})
const streamOverview = object({
  stream: text,
  table: orNull.string,
  write: orNull.string,
  key: { type: ['array', 'null'], items: text },
  cursor: { ...object({ value: text, updatedAt: time, lagSeconds: orNull.number }), type: ['object', 'null'] },
  rejects: number,
  lastSuccess: timeOrNull,
  runs: list(streamRun),
})
const pipeline = object({
  pipeline: text,
  loaded: flag,
  schedule: orNull.string,
  zone: orNull.string,
  nextTick: timeOrNull,
  streams: list(streamOverview),
})
const running = object({
  run: id,
  pipeline: text,
  kind,
  status: runStatus,
  startedAt: time,
  seenAt: time,
  stopAskedAt: timeOrNull,
  here: flag,
  gauge,
  slices: list(
    object({
      slice: id,
      stream: text,
      since: orNull.string,
      until: orNull.string,
      lower: timeOrNull,
      upper: timeOrNull,
      batches: number,
      counts,
    }),
  ),
})

const page = {
  after: { ...id, description: '`next` of the last answer' },
  limit: { type: 'integer', minimum: 1, maximum: 500, default: 50 },
} as const
const query = (properties: Record<string, unknown>) => ({ type: 'object', properties, additionalProperties: false })
const parameters = (properties: Record<string, unknown>) => ({
  type: 'object',
  properties,
  required: Object.keys(properties),
})
const next = orNull.string
const keyed = {
  type: 'object',
  properties: {
    'idempotency-key': {
      type: 'string',
      pattern: String.raw`^[\x21-\x7e]{1,200}$`,
      description: 'The same key with the same body answers the same run',
    },
  },
}
const body = (properties: Record<string, unknown>, required: readonly string[] = []) => ({
  type: 'object',
  properties,
  required,
  additionalProperties: false,
})
const begun = { 202: { description: 'It has begun, and goes on', ...object({ run: id }) }, '4xx': fault, '5xx': fault }
const answers = <Shape extends object>(shape: Shape) => ({ 200: shape, '4xx': fault, '5xx': fault })
// Each window that is read at once takes a connection, of which PostgreSQL admits 100 as it comes.
const concurrency = { type: 'integer', minimum: 1, maximum: 16 } as const
const only = { type: 'string', enum: ['missing', 'failed', 'all'] } as const

/** One for each route. */
export const schemas = {
  summary: {
    summary:
      'Everything at one moment: what runs, streams with their last runs, cursors, rejects, backfills, next ticks',
    response: answers(
      object({
        at: time,
        version: text,
        event: id,
        writable: flag,
        pipelines: list(pipeline),
        running: list(running),
        lastRuns: list(object(run)),
        backfills: list(object(backfill)),
      }),
    ),
  },
  events: {
    summary: 'Events as they happen, as server-sent events; resumes after Last-Event-ID',
    querystring: query({ after: id, run: id, pipeline: name }),
    headers: { type: 'object', properties: { 'last-event-id': { type: 'string', pattern: String.raw`^\d{0,18}$` } } },
    response: {
      200: { description: 'A stream of events', content: { 'text/event-stream': { schema: { type: 'string' } } } },
      '4xx': fault,
      '5xx': fault,
    },
  },
  runs: {
    summary: 'Runs, the newest first',
    querystring: query({ pipeline: name, kind, status: runStatus, ...page }),
    response: answers(object({ runs: list(object(run)), next })),
  },
  run: {
    summary: 'One run, with its report',
    params: parameters({ id }),
    response: answers(
      object({
        ...run,
        options: any,
        report: anyOrNull,
        gauge,
        details: list(
          object({
            stream: text,
            isDone: flag,
            slices: number,
            batches: number,
            counts,
            since: orNull.string,
            cursor: orNull.string,
            resumed: flag,
            error: orNull.string,
          }),
        ),
      }),
    ),
  },
  slices: {
    summary: 'Slices, the newest first',
    querystring: query({ pipeline: name, stream: name, status: slice.status, kind, run: id, backfill: id, ...page }),
    response: answers(object({ slices: list(object(slice)), next })),
  },
  rejects: {
    summary: 'Records that could not be stored, the newest first',
    querystring: query({
      pipeline: name,
      stream: name,
      run: id,
      slice: id,
      replayed: { type: 'boolean', default: false },
      ...page,
    }),
    response: answers(object({ rejects: list(object(reject)), next })),
  },
  backfills: {
    summary: 'Backfills, the newest first',
    querystring: query({ pipeline: name, stream: name, ...page }),
    response: answers(object({ backfills: list(object(backfill)), next })),
  },
  backfill: {
    summary: 'One backfill, with all its windows',
    params: parameters({ id }),
    response: answers(
      object({
        ...backfill,
        map: list(
          object({
            slice: id,
            lower: time,
            upper: time,
            state: { type: 'string', enum: ['todo', 'running', 'done', 'failed', 'skipped'] },
            rows: number,
            run: orNull.string,
            error: orNull.string,
          }),
        ),
      }),
    ),
  },
  beginRun: {
    summary: 'Run a pipeline, or some of its streams',
    headers: keyed,
    body: body(
      {
        pipeline: name,
        streams: { type: 'array', items: name, minItems: 1, maxItems: 1_000 },
        full: flag,
        overlap: { type: 'string', enum: ['skip', 'wait', 'fail'] },
      },
      ['pipeline'],
    ),
    response: begun,
  },
  beginBackfill: {
    summary: 'Read a range of a stream window by window; the same words continue it',
    headers: keyed,
    body: body(
      {
        pipeline: name,
        stream: name,
        from: { type: 'string', minLength: 1, maxLength: 40 },
        to: { type: 'string', minLength: 1, maxLength: 40 },
        window: { type: 'string', maxLength: 20 },
        zone: { type: 'string', maxLength: 60 },
        concurrency,
        only,
      },
      ['pipeline', 'stream', 'from', 'to'],
    ),
    response: begun,
  },
  retryBackfill: {
    summary: 'Repeat what failed of a backfill, or go on with what is missing',
    headers: keyed,
    params: parameters({ id }),
    body: { ...body({ only, concurrency }), type: ['object', 'null'] },
    response: begun,
  },
  cancelRun: {
    summary: 'End a run, in whatever process it goes on: what is whole is committed',
    params: parameters({ id }),
    body: { type: ['object', 'null'], properties: {}, additionalProperties: false },
    response: {
      202: { description: 'It was asked to', ...object({ run: id, status: runStatus, stopAskedAt: time }) },
      '4xx': fault,
      '5xx': fault,
    },
  },
  records: {
    summary: 'The table of a stream, one row of JSON per line, with every digit',
    params: parameters({ pipeline: name, stream: name }),
    response: {
      200: { description: 'Rows', content: { 'application/x-ndjson': { schema: { type: 'string' } } } },
      '4xx': fault,
      '5xx': fault,
    },
  },
  health: { summary: 'The process lives', response: answers(object({ status: text })) },
  ready: {
    summary: 'The database answers and its schema is up to date',
    response: { 200: object({ status: text, schema: text }), '4xx': fault, '5xx': fault },
  },
  metrics: {
    summary: 'Metrics for Prometheus',
    response: {
      200: { description: 'Metrics', content: { 'text/plain': { schema: { type: 'string' } } } },
      '5xx': fault,
    },
  },
} as const
