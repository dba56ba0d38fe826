// The standard variables of OpenTelemetry that say whether anything is sent. The SDK reads all others.

/** What is sent. */
export interface Signals {
  readonly traces: boolean
  readonly metrics: boolean
}

type Environment = Readonly<Record<string, string | undefined>>

const VARIABLES = {
  traces: ['OTEL_TRACES_EXPORTER', 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'OTEL_EXPORTER_OTLP_ENDPOINT'],
  metrics: ['OTEL_METRICS_EXPORTER', 'OTEL_EXPORTER_OTLP_METRICS_ENDPOINT', 'OTEL_EXPORTER_OTLP_ENDPOINT'],
} as const

/** Returns what the variables ask for: nothing without an exporter or an endpoint, and with `OTEL_SDK_DISABLED`. */
export function wantedSignals(environment: Environment): Signals {
  const isDisabled = environment['OTEL_SDK_DISABLED']?.trim().toLowerCase() === 'true'
  const isWanted = ([exporter, ...endpoints]: readonly [string, ...string[]]): boolean =>
    !isDisabled &&
    environment[exporter]?.trim() !== 'none' &&
    [exporter, ...endpoints].some((name) => isSet(environment, name))
  return { traces: isWanted(VARIABLES.traces), metrics: isWanted(VARIABLES.metrics) }
}

/** Returns the name of the variable that asks for telemetry, for messages. */
export const namedVariable = (environment: Environment): string =>
  [...VARIABLES.traces, ...VARIABLES.metrics].find((name) => isSet(environment, name)) ?? 'OTEL_TRACES_EXPORTER'

const isSet = (environment: Environment, name: string): boolean => (environment[name] ?? '').trim() !== ''
