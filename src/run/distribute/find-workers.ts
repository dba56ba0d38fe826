import type { Queryable } from '../../database/queryable.ts'
import type { Pipeline } from '../../define/pipeline.ts'
import { readWorkers, takesWork, type StoredWorker } from '../../ledger/workers.ts'
import { versionOf } from './piece.ts'

/** Returns the workers that take work of a pipeline in the version of this process, and all others that are alive. */
export async function findWorkers(
  on: Queryable,
  pipeline: Pipeline,
): Promise<{ readonly able: readonly StoredWorker[]; readonly others: readonly StoredWorker[] }> {
  const alive = await readWorkers(on)
  const own = { pipeline: pipeline.name, version: versionOf(pipeline) }
  const isAble = (worker: StoredWorker): boolean => takesWork(worker, own)
  return { able: alive.filter(isAble), others: alive.filter((one) => !isAble(one)) }
}
