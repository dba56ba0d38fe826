// The recipe that reads the results of a job that is done.
import { DecodeError, UsageError } from '../../model/errors.ts'
import type { Job } from '../../model/job.ts'
import { valuesAt } from '../../model/path.ts'
import type { Recipe } from '../../model/recipe.ts'
import type { From } from '../../model/request.ts'
import { defined } from '../../value/defined.ts'
import { nameOf, problemOf, valueIn } from '../response-value.ts'
import { fileOrderOf, type FileOrder } from './file-order.ts'
import type { JobResponse } from './job-requests.ts'
import { typeNameOf } from '../../value/type-name.ts'

/** What reads the results, and the order of their files if there are several. */
export interface JobResultsRecipe {
  readonly recipe: Recipe
  readonly files?: FileOrder
}

/** Returns undefined if the API says that there are no results. Throws if it does not say so. */
export function resultsRecipe(
  { results }: Pick<Job, 'results'>,
  response: JobResponse,
  { id, label }: { readonly id: string; readonly label: string },
): JobResultsRecipe | undefined {
  if (results.type === 'files') {
    const urls = urlsIn(valueOf(response, results.at), `${label}: ${nameOf(results.at)}`)
    if (urls.length === 0) return undefined
    return { recipe: filesRecipe(urls, results.stage), ...defined({ files: fileOrderOf(urls) }) }
  }
  const made = results.fn(response.body as never, id)
  if (made === null) return undefined
  return { recipe: checkResults(made) }
}

/** Stages of results would hide their records from the cursor, and a replay from the stages of the stream. */
function checkResults({ recipe }: { readonly recipe: Recipe }): Recipe {
  if (typeof recipe !== 'object')
    throw new UsageError('.results(): the function must return a stream, such as api.get(…).pages(…).records()')
  if (recipe.incremental) throw new UsageError('.results(): put .incremental() behind it')
  const stage = recipe.stages.find((one) => one.type !== 'flatMap' || !one.download)
  if (stage) throw new UsageError(`.results(): put .${stage.type}() behind it`)
  return recipe
}

/** A path through a list leads to the URLs of all its elements: the last one alone would be a part of the results. */
function valueOf(response: JobResponse, at: From<never, unknown>): unknown {
  if (typeof at !== 'string') return valueIn(response, at)
  const values = valuesAt(response.body, at)
  return values.length === 1 ? values[0] : values
}

function urlsIn(value: unknown, place: string): readonly string[] {
  if (value === null || value === '') return []
  const urls: readonly unknown[] = Array.isArray(value) ? value : [value]
  return urls.map((url) => {
    if (typeof url === 'string' && url !== '') return url
    const problem = Array.isArray(value) ? `holds ${typeNameOf(url)} among the URLs` : problemOf(url)
    throw new DecodeError(
      `${place} ${problem}, where the URL of the results should be. Null says that there are no records`,
    )
  })
}

/**
 * The stage leaves URLs out of positions: they may be signed, and others each time. The other members show whether the
 * list of files is the same.
 */
function filesRecipe(urls: readonly string[], stage: Recipe['stages'][number]): Recipe {
  const files = urls.map((url, index) => ({ url, index, files: urls.length }))
  return {
    source: {
      // oxlint-disable-next-line typescript/require-await -- A source is an async generator.
      read: async function* ({ position }) {
        if (position === undefined) yield { records: files, position: { files: files.length } }
      },
    },
    stages: [stage],
  }
}
