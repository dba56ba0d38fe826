// OpenTelemetry in this process: whether anybody wants traces, and the SDK that a program starts for itself.
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { messageOf } from '../../value/error.ts'
import { ownVersion } from '../package-root.ts'
import { namedVariable, wantedSignals, type Signals } from './variables.ts'

type Api = typeof import('@opentelemetry/api')
type Sdk = typeof import('@opentelemetry/sdk-node')

export interface ProgramTelemetryOptions {
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Receives what keeps telemetry from being sent. It is never a reason to end a run. */
  readonly warn: (message: string) => void
}

const SDK = '@opentelemetry/sdk-node'
const REMEDY = `run \`npm install ${SDK}\``
/** Where all copies of the API keep what is registered: that nobody listens is seen without loading it. */
const REGISTERED = Symbol.for('opentelemetry.js.api.1')

let api: Api | undefined
let program: ProgramTelemetry | undefined

/**
 * The telemetry of a program, such as the command: it starts an SDK as soon as a run or a server needs one, if the
 * standard variables ask for it. A library never does that. Close it at the end of the program.
 */
export function openProgramTelemetry(options: ProgramTelemetryOptions): ProgramTelemetry {
  program = new ProgramTelemetry(options)
  return program
}

/**
 * Returns the API of OpenTelemetry if spans or metrics go anywhere: to the SDK of this program, or to one that the
 * user's code has registered. Without one, nothing is loaded.
 */
export async function telemetryApi(signal: keyof Signals): Promise<Api | undefined> {
  await program?.start()
  if (!isRegistered(signal)) return undefined
  return (api ??= await import('@opentelemetry/api'))
}

/** Returns the ids of the span that is active, as log lines carry them; undefined if there is none. */
export function activeSpanIds(): { readonly trace_id: string; readonly span_id: string } | undefined {
  const span = api?.trace.getActiveSpan()?.spanContext()
  return span && { trace_id: span.traceId, span_id: span.spanId }
}

class ProgramTelemetry {
  readonly #options: ProgramTelemetryOptions
  readonly #signals: Signals
  #started: Promise<void> | undefined
  #shutdown: (() => Promise<void>) | undefined
  #hasWarned = false

  constructor(options: ProgramTelemetryOptions) {
    this.#options = options
    this.#signals = wantedSignals(options.environment)
  }

  /** Starts the SDK, once. Resolves also if that fails. */
  async start(): Promise<void> {
    if (!this.#signals.traces && !this.#signals.metrics) return
    await (this.#started ??= this.#start())
  }

  /** Sends what is left, and waits no longer than this for a collector that does not answer. */
  async close(ms: number): Promise<void> {
    if (program === this) program = undefined
    if (!this.#shutdown) return
    const late = Promise.withResolvers<'late'>()
    const timer = setTimeout(() => late.resolve('late'), ms)
    try {
      const ended = await Promise.race([this.#shutdown(), late.promise])
      if (ended === 'late') this.#problem(`the collector has not taken everything within ${(ms / 1_000).toFixed(1)} s`)
    } catch (error) {
      this.#problem(messageOf(error))
    } finally {
      clearTimeout(timer)
    }
  }

  async #start(): Promise<void> {
    const variable = namedVariable(this.#options.environment)
    try {
      const sdk = await loadSdk()
      if (sdk) this.#register(sdk)
      else this.#warn(`${variable} is set, and ${SDK} is not installed, so nothing is sent: ${REMEDY}`)
    } catch (error) {
      this.#warn(`${variable} is set, and OpenTelemetry could not be started: ${messageOf(error)}`)
    }
  }

  #register({ api: own, resources, NodeSDK }: Sdk): void {
    // An agent (`node --import …`) or the user's code was first.
    if (isRegistered('traces') || isRegistered('metrics')) return
    if (this.#options.environment['OTEL_LOG_LEVEL'] === undefined) {
      const warn = (...words: readonly unknown[]): void => this.#problem(words.map(reasonIn).join(' '))
      own.diag.setLogger({ ...SILENT, error: warn, warn }, own.DiagLogLevel.WARN)
    }
    const { envDetector, hostDetector, serviceInstanceIdDetector, defaultResource, resourceFromAttributes } = resources
    const { traces, metrics } = this.#signals
    const node = new NodeSDK({
      resource: defaultResource().merge(
        resourceFromAttributes({ 'service.name': 'sluice', 'service.version': ownVersion() }),
      ),
      // Not that of the process: it sends the command line, in which a database's URL may stand.
      resourceDetectors: [hostDetector, serviceInstanceIdDetector, envDetector],
      logRecordProcessors: [],
      ...(!traces && { spanProcessors: [] }),
      ...(!metrics && { metricReaders: [] }),
    })
    node.start()
    this.#shutdown = () => node.shutdown()
  }

  /** Warns once: the SDK repeats its warnings for each batch of spans. */
  #problem(reason: string): void {
    if (this.#hasWarned) return
    this.#warn(
      `traces or metrics may be missing, the run goes on. OpenTelemetry says: ${reason}. ` +
        'Check that the collector is up, and the variables OTEL_EXPORTER_OTLP_…',
    )
  }

  #warn(message: string): void {
    this.#hasWarned = true
    this.#options.warn(message)
  }
}

const silent = (): void => {}
const SILENT = { info: silent, debug: silent, verbose: silent }

/** Returns true if an SDK is registered for the signal. */
function isRegistered(signal: keyof Signals): boolean {
  const registered = (globalThis as { readonly [REGISTERED]?: Readonly<Record<string, unknown>> })[REGISTERED]
  return registered?.[signal === 'traces' ? 'trace' : 'metrics'] !== undefined
}

/** Returns the SDK that is installed beside this package, or in the project of the user; undefined if none is. */
async function loadSdk(): Promise<Sdk | undefined> {
  for (const place of [import.meta.url, pathToFileURL(join(process.cwd(), 'package.json'))]) {
    let file: string
    try {
      file = createRequire(place).resolve(SDK)
    } catch {
      continue
    }
    return createRequire(place)(file) as Sdk
  }
  return undefined
}

/** Returns the reason in what the SDK logs: errors come as JSON with their stacks. */
function reasonIn(word: unknown): string {
  if (typeof word !== 'string' || !word.startsWith('{')) return messageOf(word)
  try {
    const { message, code } = JSON.parse(word) as { readonly message?: string; readonly code?: string }
    return [message, code].filter(Boolean).join(' ') || word
  } catch {
    return word
  }
}
