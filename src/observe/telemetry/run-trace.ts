import type { Attributes, Context, Span } from '@opentelemetry/api'
import { codeIn } from '../../model/error-code.ts'
import type { RequestFinished, RunEvent } from '../../model/event.ts'
import type { PageRequest } from '../../model/request.ts'
import type { Client, Scope, SendOptions } from '../../model/scope.ts'
import type { RunKind } from '../../model/slice.ts'
import { countsOf, isRefused, parentOf, requestAttributes, type DefinedPath } from './span-attributes.ts'
import { safely, Spans, type OpenSpan } from './spans.ts'
import { telemetryApi } from './telemetry.ts'

type Api = typeof import('@opentelemetry/api')

export interface TracedRun {
  readonly run: string
  readonly pipeline: string
  readonly kind: RunKind
  readonly startedAt: Date
  /** Returns the table of a stream. */
  readonly tableOf: (stream: string) => string | undefined
  /** Returns the path of a stream's own request, if it has no values. */
  readonly pathOf: (stream: string) => string | undefined
}

/** Returns the trace of a run, undefined if no SDK of OpenTelemetry listens, or if it fails. */
export async function traceRun(run: TracedRun): Promise<RunTrace | undefined> {
  const api = await telemetryApi('traces')
  return api && safely(api, () => new RunTrace(api, run))
}

/**
 * The spans of a run: run → stream → slice → page → request, and batches beside the pages. They are made from the
 * run's events, and pages from the requests of each slice. No span holds a secret, a record or a cursor. What the SDK
 * throws, or a span processor of the user, goes to its log: it never fails a run.
 *
 * | span | begins | ends |
 * |---|---|---|
 * | run | with the run | `run.finished` |
 * | stream | with its first event | `stream.finished` |
 * | slice | `slice.started` | `slice.finished`, `slice.failed`, or when the run lets go of it |
 * | page | when its request is asked for, before any wait | when its records are encoded, or the request has failed |
 * | request | when it is sent | `request.finished` |
 * | batch | with its transaction | `batch.committed` |
 */
export class RunTrace implements Disposable {
  readonly #api: Api
  readonly #spans: Spans
  readonly #traced: TracedRun
  readonly #run: OpenSpan
  readonly #streams = new Map<string, OpenSpan>()
  readonly #slices = new Map<string, OpenSlice>()

  constructor(api: Api, traced: TracedRun) {
    this.#api = api
    this.#traced = traced
    this.#spans = new Spans(api)
    const { run, pipeline, kind, startedAt } = traced
    this.#run = this.#spans.open(parentOf(api), `run ${pipeline}`, {
      attributes: { 'sluice.run': run, 'sluice.pipeline': pipeline, 'sluice.kind': kind },
      startTime: startedAt,
    })
  }

  /** Takes an event into the spans. `handle` is called while the event's span is active, so that logs have its ids. */
  event(event: RunEvent, handle: () => void = () => {}): void {
    this.#api.context.with(safely(this.#api, () => this.#take(event)) ?? this.#run.context, handle)
  }

  /** Returns clients whose requests are pages of the slice. */
  client(clientOf: Scope['client'], slice: string): Scope['client'] {
    return (api) => {
      const client = clientOf(api)
      return { send: (request, options) => this.#page(client, request, options, { slice, base: api.base }) }
    }
  }

  /** Ends the span of a slice that the run lets go of before its end. */
  leave(slice: string, status: 'failed' | 'interrupted'): void {
    const open = this.#slices.get(slice)
    if (!open) return
    open.span.setAttribute('sluice.status', status)
    if (status === 'failed') open.span.setStatus({ code: this.#api.SpanStatusCode.ERROR })
    this.#endSlice(slice)
  }

  /** Ends all spans that are still open. */
  [Symbol.dispose](): void {
    for (const slice of this.#slices.keys()) this.leave(slice, 'interrupted')
    for (const { span } of [...this.#streams.values(), this.#run]) this.#spans.end(span)
  }

  #endSlice(slice: string): void {
    const open = this.#slices.get(slice)
    this.#slices.delete(slice)
    for (const page of open?.pages ?? []) this.#spans.end(page)
    if (open) this.#spans.end(open.span)
  }

  /** Returns the context of the event's span. */
  #take(event: RunEvent): Context {
    switch (event.type) {
      case 'slice.started':
        return this.#sliceStarted(event)
      case 'batch.committed':
        this.#batch(event)
        return this.#sliceContext(event)
      case 'slice.finished': {
        const context = this.#sliceContext(event)
        this.#slices.get(event.slice)?.span.setAttributes({
          'sluice.status': 'done',
          ...countsOf(event.counts),
          ...(event.completeness && { 'sluice.completeness': event.completeness.grade }),
        })
        this.#endSlice(event.slice)
        return context
      }
      case 'slice.failed': {
        const context = this.#sliceContext(event)
        const open = this.#slices.get(event.slice)
        if (open) this.#fail(open.span, event.error)
        this.#endSlice(event.slice)
        return context
      }
      case 'stream.failed': {
        const stream = this.#stream(event.stream)
        this.#fail(stream.span, event.error)
        return stream.context
      }
      case 'stream.finished': {
        const { span, context } = this.#stream(event.stream, event.ms)
        span.setAttributes({ 'sluice.status': event.status, ...countsOf(event.counts) })
        this.#spans.end(span)
        return context
      }
      case 'run.finished': {
        const { span, context } = this.#run
        span.setAttribute('sluice.status', event.status)
        if (event.status === 'failed') span.setStatus({ code: this.#api.SpanStatusCode.ERROR })
        this.#spans.end(span)
        return context
      }
      case 'request.finished':
      case 'request.retried':
      case 'response.skipped':
      case 'waiting':
        // Where the event happens, its page is active.
        return this.#pageContext() ?? this.#stream(event.stream).context
      case 'run.started':
      case 'backfill.planned':
      case 'pages.total':
      case 'table.altered':
      case 'warning':
      case 'gauge':
        return 'stream' in event && event.stream !== undefined ? this.#stream(event.stream).context : this.#run.context
    }
  }

  #sliceStarted({ stream, slice, resumed, lower, upper, windowIndex }: EventOf<'slice.started'>): Context {
    const opened = this.#spans.open(this.#stream(stream).context, 'slice', {
      attributes: {
        ...this.#of(stream),
        'sluice.slice': slice,
        'sluice.resumed': resumed,
        // Those of a sync are values of records.
        ...(windowIndex !== undefined && { 'sluice.window.from': lower, 'sluice.window.to': upper }),
      },
    })
    this.#slices.set(slice, { ...opened, stream, pages: new Set(), requested: 0 })
    return opened.context
  }

  #batch({ stream, slice, seq, pages, bytes, ms, counts }: EventOf<'batch.committed'>): void {
    const { span } = this.#spans.open(this.#sliceContext({ stream, slice }), 'batch', {
      kind: this.#api.SpanKind.CLIENT,
      startTime: Date.now() - ms,
      attributes: {
        ...this.#of(stream),
        'db.system.name': 'postgresql',
        'db.collection.name': this.#traced.tableOf(stream),
        'sluice.batch': seq,
        'sluice.pages': pages,
        'sluice.bytes': bytes,
        ...countsOf(counts),
      },
    })
    this.#spans.end(span)
  }

  async #page(
    client: Client,
    request: PageRequest,
    options: SendOptions,
    { slice, base }: { readonly slice: string; readonly base: string },
  ): ReturnType<Client['send']> {
    const open = this.#slices.get(slice)
    if (!open) return client.send(request, options)
    const { span, context } = this.#spans.open(open.context, 'page', {
      attributes: { ...this.#of(open.stream), 'sluice.page': ++open.requested },
    })
    open.pages.add(span)
    const end = (): void => {
      open.pages.delete(span)
      this.#spans.end(span)
    }
    const path = { base, endpoint: options.endpoint, own: this.#traced.pathOf(open.stream) }
    const tries: Tries = { path, sent: 0, endedAt: 0 }
    const onRequest = (event: RequestFinished): void => this.#request(context, event, tries)
    try {
      const response = await this.#api.context.with(context.setValue(PAGE, true), () =>
        client.send(request, { ...options, onRequest }),
      )
      span.setAttribute('sluice.bytes', response.bytes)
      if (response.rule) span.setAttribute('sluice.rule', response.rule.action)
      const { hold } = response
      return {
        ...response,
        hold: {
          [Symbol.dispose]() {
            end()
            hold[Symbol.dispose]()
          },
        },
      }
    } catch (error) {
      if (!options.signal.aborted) span.setStatus({ code: this.#api.SpanStatusCode.ERROR })
      end()
      throw error
    }
  }

  #request(page: Context, event: RequestFinished, tries: Tries): void {
    const { method, ms } = event
    const now = Date.now()
    const { span } = this.#spans.open(page, method, {
      kind: this.#api.SpanKind.CLIENT,
      // The time of a request that was redirected counts from the first one.
      startTime: Math.max(now - ms, tries.endedAt),
      attributes: requestAttributes(event, tries.sent, tries.path),
    })
    if (isRefused(event)) span.setStatus({ code: this.#api.SpanStatusCode.ERROR })
    this.#spans.end(span, now)
    tries.sent += 1
    tries.endedAt = now
  }

  /** The text of an error may name values of records; its code does not. */
  #fail(span: Span, error: string): void {
    const code = codeIn(error)
    span.setStatus({ code: this.#api.SpanStatusCode.ERROR, message: code })
    span.setAttributes({ 'error.type': code, 'sluice.status': 'failed' })
  }

  /** Returns a stream, whose span begins with its first event. `ms` is how long one has taken that had none. */
  #stream(name: string, ms = 0): OpenSpan {
    const known = this.#streams.get(name)
    if (known) return known
    const opened = this.#spans.open(this.#run.context, `stream ${name}`, {
      attributes: this.#of(name),
      startTime: Date.now() - ms,
    })
    this.#streams.set(name, opened)
    return opened
  }

  #sliceContext({ slice, stream }: { readonly slice: string; readonly stream: string }): Context {
    return (this.#slices.get(slice) ?? this.#stream(stream)).context
  }

  #pageContext(): Context | undefined {
    const active = this.#api.context.active()
    return active.getValue(PAGE) === true ? active : undefined
  }

  #of(stream: string): Attributes {
    return { 'sluice.pipeline': this.#traced.pipeline, 'sluice.stream': stream }
  }
}

interface OpenSlice extends OpenSpan {
  readonly stream: string
  /** Pages whose records are not encoded yet. */
  readonly pages: Set<Span>
  /** Pages that were asked for. */
  requested: number
}

/** The requests of a page so far. */
interface Tries {
  readonly path: DefinedPath
  sent: number
  endedAt: number
}

type EventOf<Type extends RunEvent['type']> = Extract<RunEvent, { readonly type: Type }>

/** Marks the context of a page. */
const PAGE = Symbol('sluice page')
