// `offload`: calls a module on a worker thread for each record.
import type { WorkerPool } from '../flow/worker-pool.ts'
import { Decimal } from '../value/decimal.ts'
import { RejectError } from '../model/errors.ts'

/** Returns a function that sends one record to a module on a worker thread. */
export const offloadFunction =
  (module: string, workers: Pick<WorkerPool, 'run'>) =>
  (record: unknown, signal: AbortSignal): Promise<unknown> => {
    // A record is copied to the thread, and a copy of a Decimal has lost its class.
    const field = findDecimal(record, '')
    if (field !== undefined) {
      const name = field === '' ? 'the record' : `'${field}'`
      throw new RejectError(
        `${name} is a decimal that no JavaScript number can hold. Map it to text, String(value), before .offload`,
      )
    }
    return workers.run(module, record, { signal })
  }

/** Returns the path of the first Decimal in a value; '' if the value itself is one, undefined if there is none. */
function findDecimal(value: unknown, path: string): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  if (value instanceof Decimal) return path
  for (const [name, member] of Object.entries(value)) {
    const found = findDecimal(member, path === '' ? name : `${path}.${name}`)
    if (found !== undefined) return found
  }
  return undefined
}
