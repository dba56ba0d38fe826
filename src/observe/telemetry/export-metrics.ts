import type { BatchObservableCallback, Meter, Observable } from '@opentelemetry/api'
import { ownVersion } from '../package-root.ts'
import { telemetryApi } from './telemetry.ts'

/** A metric as a registry of Prometheus has it. */
export interface Metric {
  readonly name: string
  readonly help: string
  /** `counter` or `gauge`. */
  readonly type: string
}

/** The values of a metric, one for each combination of its labels. */
export interface MetricValues {
  readonly name: string
  readonly values: readonly {
    readonly value: number
    readonly labels: Readonly<Partial<Record<string, string | number>>>
  }[]
}

/**
 * Exports metrics by OpenTelemetry too, if somebody listens: the same names, labels and numbers, which are read when
 * they are due. Returns undefined if nobody does.
 */
export async function exportMetrics(
  known: readonly Metric[],
  read: () => Promise<readonly MetricValues[]>,
): Promise<Disposable | undefined> {
  const api = await telemetryApi('metrics')
  return api && observeMetrics(api.metrics.getMeter('sluice', ownVersion()), known, read)
}

/** Makes an instrument for each metric. All get their values from one reading. */
export function observeMetrics(
  meter: Meter,
  known: readonly Metric[],
  read: () => Promise<readonly MetricValues[]>,
): Disposable {
  const instruments = new Map<string, Observable>(
    known.map(({ name, help: description, type }) => [
      name,
      type === 'counter'
        ? meter.createObservableCounter(name, { description })
        : meter.createObservableGauge(name, { description }),
    ]),
  )
  const observe: BatchObservableCallback = async (result) => {
    for (const { name, values } of await read()) {
      const instrument = instruments.get(name)
      if (instrument) for (const { value, labels } of values) result.observe(instrument, value, { ...labels })
    }
  }
  const all = [...instruments.values()]
  meter.addBatchObservableCallback(observe, all)
  return { [Symbol.dispose]: () => meter.removeBatchObservableCallback(observe, all) }
}
