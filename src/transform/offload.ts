import type { WorkerPool } from '../flow/worker-pool.ts'
import { Decimal } from '../value/decimal.ts'
import { RejectError } from '../model/errors.ts'

/** A module on worker threads as a function of one record. */
export const offloading =
  (module: string, workers: Pick<WorkerPool, 'run'>) =>
  (record: unknown, signal: AbortSignal): Promise<unknown> => {
    const field = decimalIn(record, '')
    // What crosses to a thread is copied, and a copy of a Decimal is none any more.
    if (field !== undefined)
      throw new RejectError(
        `${field === '' ? 'the record' : `'${field}'`} is a decimal that no JavaScript number can hold: map it to text, String(value), before .offload`,
      )
    return workers.run(module, record, { signal })
  }

function decimalIn(value: unknown, place: string): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  if (value instanceof Decimal) return place
  for (const [name, member] of Object.entries(value)) {
    const found = decimalIn(member, place === '' ? name : `${place}.${name}`)
    if (found !== undefined) return found
  }
  return undefined
}
