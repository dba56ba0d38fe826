import { expect, test } from '@jest/globals'
import * as otel from '@opentelemetry/api'
import { metrics as sdk } from '@opentelemetry/sdk-node'
import { Counter, Gauge, Registry } from 'prom-client'
import { observeMetrics } from '../../src/observe/telemetry/export-metrics.ts'
import { RunTrace } from '../../src/observe/telemetry/run-trace.ts'
import { requestAttributes } from '../../src/observe/telemetry/span-attributes.ts'
import { wantedSignals } from '../../src/observe/telemetry/variables.ts'
import { project } from '../cli/support/command.ts'
import { apiServer } from '../support/api-server.ts'
import { testDatabase } from '../support/database.ts'

type Value = string | number | boolean

interface ReceivedSpan {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId: string
  readonly name: string
  readonly kind: number
  readonly status: { readonly code: number; readonly message?: string }
  readonly attributes: Readonly<Record<string, Value>>
  readonly from: bigint
  readonly to: bigint
}

/** Attributes, as OTLP writes them. */
type Attributes = readonly { readonly key: string; readonly value: Readonly<Record<string, Value>> }[]

interface TracesOfOtlp {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: Attributes }
    readonly scopeSpans: readonly {
      readonly spans: readonly (Omit<ReceivedSpan, 'attributes' | 'from' | 'to'> & {
        readonly attributes: Attributes
        readonly startTimeUnixNano: string
        readonly endTimeUnixNano: string
      })[]
    }[]
  }[]
}

const valuesOf = (attributes: Attributes): Record<string, Value> =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0] ?? '']))

/** Returns the spans that a receiver got. */
const spansOf = (bodies: readonly string[]): ReceivedSpan[] =>
  bodies
    .flatMap((body) => (JSON.parse(body) as TracesOfOtlp).resourceSpans)
    .flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans))
    .map(({ attributes, startTimeUnixNano, endTimeUnixNano, ...span }) => ({
      ...span,
      attributes: valuesOf(attributes),
      from: BigInt(startTimeUnixNano),
      to: BigInt(endTimeUnixNano),
    }))

const PIPELINE = `
import { apiKey, byPage, http, pipeline, secret } from 'SLUICE'
const api = http(process.env.SHOP_API, { auth: apiKey(secret('SHOP_TOKEN'), { query: 'token' }) })
export default pipeline('shop', {
  streams: {
    orders: api.get('/orders').pages(byPage('page', { pages: 'pages' })).records('orders')
      .into('shop.orders', { key: 'id' }),
    gone: api.get('/gone').pages(byPage('page')).records('gone').into('shop.gone', { key: 'id' }),
  },
})
`
const TRACE = '0af7651916cd43dd8448eb211c80319c'
const PARENT = 'b7ad6b7169203331'
const TOKEN = 'tok-3f9a1c77e0'

test('a run sends one trace: run, stream, slice, page, request, batch; its log lines have the ids', async () => {
  await using api = await apiServer(({ path, query }) => {
    if (path === '/gone') return { status: 404, json: {} }
    if (path === '/orders' && query.get('page') === '2') return { status: 302, headers: { location: '/moved?page=2' } }
    return { json: { orders: [{ id: path === '/moved' ? 2 : 1, name: 'a-name-in-a-record' }], pages: 2 } }
  })
  await using collector = await apiServer([{ json: {} }])
  await using database = await testDatabase()
  await using here = await project({ 'pipelines/shop.ts': PIPELINE })
  const ended = await here.sluice(['run', '--log-format', 'json', '--verbose', '--database', database.url], {
    SHOP_API: api.origin,
    SHOP_TOKEN: TOKEN,
    TRACEPARENT: `00-${TRACE}-${PARENT}-01`,
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.origin,
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
  })
  expect(ended).toMatchObject({ code: 1, stderr: expect.not.stringMatching(/^sluice:/m) })

  const bodies = collector.requests.filter(({ path }) => path === '/v1/traces').map(({ body }) => body)
  const spans = spansOf(bodies)
  const nameOf = new Map(spans.map(({ spanId, name }) => [spanId, name]))
  const tree = spans.map(({ name, parentSpanId }) => `${nameOf.get(parentSpanId) ?? parentSpanId} > ${name}`)
  expect(tree.toSorted()).toEqual([
    `${PARENT} > run shop`,
    'page > GET',
    'page > GET',
    'page > GET',
    'page > GET',
    'run shop > stream gone',
    'run shop > stream orders',
    // The page that creates the table is a batch of its own.
    'slice > batch',
    'slice > batch',
    'slice > page',
    'slice > page',
    'slice > page',
    'stream gone > slice',
    'stream orders > slice',
  ])
  expect(new Set(spans.map(({ traceId }) => traceId))).toEqual(new Set([TRACE]))
  const byId = new Map(spans.map((span) => [span.spanId, span]))
  // Starts of spans that were made at their end are milliseconds.
  const MARGIN = 5_000_000n
  for (const { parentSpanId, name, from, to } of spans) {
    const parent = byId.get(parentSpanId)
    if (!parent) continue
    expect({ name, isInside: parent.from - MARGIN <= from && to <= parent.to + MARGIN }).toEqual({
      name,
      isInside: true,
    })
  }

  const ERROR = 2
  const CLIENT = 3
  const { port } = new URL(api.origin)
  const request = (path: string | undefined, status: number, more: Record<string, Value> = {}): object => ({
    name: 'GET',
    kind: CLIENT,
    attributes: expect.objectContaining({
      'http.request.method': 'GET',
      'http.response.status_code': status,
      'server.address': '127.0.0.1',
      'server.port': Number(port),
      ...(path !== undefined && { 'url.path': path }),
      ...more,
    }) as object,
  })
  expect(spans).toEqual(
    expect.arrayContaining([
      expect.objectContaining(request('/orders', 200)),
      expect.objectContaining(request('/orders', 302)),
      expect.objectContaining(request(undefined, 200, { 'http.request.resend_count': 1 })),
      expect.objectContaining({ ...request('/gone', 404, { 'error.type': '404' }), status: { code: ERROR } }),
      expect.objectContaining({
        name: 'batch',
        kind: CLIENT,
        attributes: expect.objectContaining({
          'db.system.name': 'postgresql',
          'db.collection.name': 'shop.orders',
          'sluice.records.inserted': 1,
        }) as object,
      }),
      expect.objectContaining({ name: 'stream gone', status: { code: ERROR, message: 'HTTP_NOT_FOUND' } }),
      expect.objectContaining({ name: 'run shop', status: { code: ERROR } }),
    ]),
  )
  const { resource } = (JSON.parse(bodies[0] ?? '') as TracesOfOtlp).resourceSpans[0]!
  expect(valuesOf(resource.attributes)).toMatchObject({ 'service.name': 'sluice' })
  const sent = collector.requests.map(({ body }) => body).join('\n')
  for (const hidden of [TOKEN, 'a-name-in-a-record', database.url, 'token=']) expect(sent).not.toContain(hidden)

  const lines = ended.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { type: string; trace_id?: string; span_id?: string })
  expect(lines.filter(({ trace_id }) => trace_id !== TRACE)).toEqual([])
  const placeOf = (type: string): Set<string | undefined> =>
    new Set(lines.filter((line) => line.type === type).map(({ span_id = '' }) => nameOf.get(span_id)))
  expect(placeOf('request.finished')).toEqual(new Set(['page']))
  expect(placeOf('batch.committed')).toEqual(new Set(['slice']))
  expect(placeOf('stream.failed')).toEqual(new Set(['stream gone']))
  expect(placeOf('report')).toEqual(new Set(['run shop']))
})

test.each([
  [{}, false, false],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318' }, true, true],
  [{ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://c:4318/v1/traces' }, true, false],
  [{ OTEL_TRACES_EXPORTER: 'console' }, true, false],
  [{ OTEL_METRICS_EXPORTER: 'otlp' }, false, true],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318', OTEL_TRACES_EXPORTER: 'none' }, false, true],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318', OTEL_SDK_DISABLED: 'true' }, false, false],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: '' }, false, false],
])('the standard variables %j: traces %s, metrics %s', (environment, traces, metrics) => {
  expect(wantedSignals(environment)).toEqual({ traces, metrics })
})

test('the path of a request is that of the definition, without values of records', () => {
  const url = 'https://shop.example/v1/customers/ada@mail.example/orders?page=2'
  const event = { type: 'request.finished', stream: 's', method: 'GET', url, status: 200, bytes: 1, ms: 1 } as const
  const of = (endpoint: string | undefined, own?: string): unknown[] => {
    const attributes = requestAttributes(event, 0, { base: 'https://shop.example/v1/', endpoint, own })
    expect(Object.keys(attributes)).toContain('server.address')
    return [attributes['url.path'], attributes['url.template']]
  }
  expect(of('/customers/{}/orders')).toEqual([undefined, '/v1/customers/{}/orders'])
  // A link that leads elsewhere, and a text that was put together from a record.
  expect(of('/orders', '/orders')).toEqual([undefined, undefined])
  expect(of('/customers/ada@mail.example/orders', '/customers')).toEqual([undefined, undefined])
  expect(of(undefined)).toEqual([undefined, undefined])
  const own = '/customers/ada@mail.example/orders'
  expect(of(own, own)).toEqual([`/v1${own}`, undefined])
})

function fail(): never {
  throw new Error('processor')
}

test('a span processor that throws fails no run', () => {
  const span = Object.assign(otel.trace.wrapSpanContext(otel.INVALID_SPAN_CONTEXT), {
    isRecording: () => true,
    end: fail,
  })
  for (const startSpan of [fail, () => span]) {
    const trace = new Proxy(otel.trace, {
      get: (target, name) =>
        name === 'getTracer' ? () => ({ startSpan }) : (Reflect.get(target, name) as () => unknown).bind(target),
    })
    using traced = new RunTrace(
      { ...otel, trace },
      {
        run: '1',
        pipeline: 'p',
        kind: 'sync',
        startedAt: new Date(),
        tableOf: () => 't.rows',
        pathOf: () => '/rows',
      },
    )
    let handled = 0
    const handle = (): void => void (handled += 1)
    traced.event({ type: 'warning', message: 'w' }, handle)
    traced.event({ type: 'slice.started', stream: 's', slice: '7', resumed: false }, handle)
    traced.leave('7', 'failed')
    traced.event({ type: 'run.finished', run: '1', status: 'done' }, handle)
    expect(handled).toBe(3)
  }
})

test('metrics of Prometheus are exported with the same names, labels and numbers, read when they are due', async () => {
  const registers = [new Registry()]
  const rows = new Counter({ name: 'sluice_rows_total', help: 'Rows', labelNames: ['stream'], registers })
  const running = new Gauge({ name: 'sluice_runs_running', help: 'Runs', registers })
  const exporter = new sdk.InMemoryMetricExporter(sdk.AggregationTemporality.CUMULATIVE)
  const reader = new sdk.PeriodicExportingMetricReader({ exporter })
  const provider = new sdk.MeterProvider({ readers: [reader] })
  const known = [
    { name: 'sluice_rows_total', help: 'Rows', type: 'counter' },
    { name: 'sluice_runs_running', help: 'Runs', type: 'gauge' },
  ]
  const observed = observeMetrics(provider.getMeter('test'), known, () => registers[0]!.getMetricsAsJSON())
  const exported = async (): Promise<unknown[]> => {
    exporter.reset()
    await provider.forceFlush()
    return exporter
      .getMetrics()
      .flatMap(({ scopeMetrics }) => scopeMetrics.flatMap(({ metrics }) => metrics))
      .flatMap(({ descriptor: { name, description }, isMonotonic = false, dataPoints }: Exported) =>
        dataPoints.map(({ value, attributes }) => ({ name, description, isMonotonic, value, attributes })),
      )
  }
  rows.inc({ stream: 'orders' }, 5)
  rows.inc({ stream: 'lines' }, 2)
  running.set(1)
  const first = [
    { name: 'sluice_rows_total', description: 'Rows', isMonotonic: true, value: 5, attributes: { stream: 'orders' } },
    { name: 'sluice_rows_total', description: 'Rows', isMonotonic: true, value: 2, attributes: { stream: 'lines' } },
    { name: 'sluice_runs_running', description: 'Runs', isMonotonic: false, value: 1, attributes: {} },
  ]
  expect(await exported()).toEqual(first)
  rows.inc({ stream: 'orders' }, 3)
  running.set(0)
  expect(await exported()).toEqual([{ ...first[0], value: 8 }, first[1], { ...first[2], value: 0 }])
  observed[Symbol.dispose]()
  await provider.shutdown()
})

interface Exported {
  readonly descriptor: { readonly name: string; readonly description: string }
  readonly isMonotonic?: boolean
  readonly dataPoints: readonly { readonly value: unknown; readonly attributes: unknown }[]
}
