import type { AccountsPipeline, Pipeline } from '../../define/pipeline.ts'
import { expandAccounts, hasAccounts } from '../accounts/expand-accounts.ts'
import { keepDatabase } from '../open-store.ts'
import type { RunOptions } from '../options.ts'

/** Calls a function for a pipeline, or for each of its accounts, one after the other. An account that fails throws. */
export async function eachPipeline<Result>(
  definition: Pipeline | AccountsPipeline,
  {
    accounts,
    database,
    environment,
    signal = new AbortController().signal,
  }: Pick<RunOptions, 'database' | 'environment' | 'signal'> & { readonly accounts?: readonly string[] | undefined },
  work: (pipeline: Pipeline) => Promise<readonly Result[]>,
): Promise<Result[]> {
  if (!hasAccounts(definition)) return [...(await work(definition))]
  const places = { database, signal, ...(environment && { environment }) }
  const { pipelines, failed } = await expandAccounts(definition, { ...places, accounts })
  if (failed[0]) throw failed[0]
  await using _kept = await keepDatabase(places)
  const results: Result[] = []
  for (const pipeline of pipelines) results.push(...(await work(pipeline)))
  return results
}
