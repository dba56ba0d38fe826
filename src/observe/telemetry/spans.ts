import type { Context, Span, SpanOptions, Tracer } from '@opentelemetry/api'
import { messageOf } from '../../value/error.ts'
import { ownVersion } from '../package-root.ts'

type Api = typeof import('@opentelemetry/api')

/** A span that has not ended, and the context in which it is active. */
export interface OpenSpan {
  readonly span: Span
  readonly context: Context
}

/** Begins and ends spans. What the SDK or a span processor of the user throws goes to the log of OpenTelemetry. */
export class Spans {
  readonly #api: Api
  readonly #tracer: Tracer

  constructor(api: Api) {
    this.#api = api
    this.#tracer = api.trace.getTracer('sluice', ownVersion())
  }

  /** Begins a span. If that fails, it is one that records nothing. */
  open(parent: Context, name: string, options: SpanOptions): OpenSpan {
    const { trace, INVALID_SPAN_CONTEXT } = this.#api
    const span =
      safely(this.#api, () => this.#tracer.startSpan(name, options, parent)) ??
      trace.wrapSpanContext(INVALID_SPAN_CONTEXT)
    return { span, context: trace.setSpan(parent, span) }
  }

  /** Ends a span. To end it again would be an error: one that has ended is not recording. */
  end(span: Span, at?: number): void {
    safely(this.#api, () => (span.isRecording() ? span.end(at) : undefined))
  }
}

/** Calls the SDK, with the user's span processors. Returns undefined if they throw. */
export function safely<T>({ diag }: Api, call: () => T): T | undefined {
  try {
    return call()
  } catch (error) {
    diag.error('Sluice: a span is missing', messageOf(error))
    return undefined
  }
}
