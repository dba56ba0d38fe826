// What `list --verbose` says of a job and of a GraphQL query.
import type { Job, JobRequest } from '../model/job.ts'
import type { Download, Recipe, Stage } from '../model/recipe.ts'
import type { InResponse, Request } from '../model/request.ts'

/** The words of `describePipeline` for parts of a definition. */
export interface Wording {
  readonly line: (what: string, text: string) => string
  readonly fromText: (from: InResponse<never, unknown>) => string
  readonly functionText: (fn: object) => string
  readonly requestText: (request: Request) => string
  readonly fileText: (download: Download, concurrency: number) => string
  readonly linesOf: (recipe: Recipe) => string[]
  /** A record whose fields read as their names. */
  readonly placeholder: (name: string) => unknown
}

/** The lines of a job, in place of those of pages and records. */
export function jobLines(
  { id, poll, state, every, maxEvery, longest, results, ...job }: Job,
  words: Wording,
): string[] {
  const { line, fromText } = words
  const states = (['done', 'empty', 'failed', 'expired'] as const)
    .filter((name) => job[name].length > 0)
    .map((name) => `${name}: ${job[name].join(', ')}`)
  const request = poll ? pollText(poll, words) : 'GET of its URL'
  return [
    line('job', `${fromText(id)}, polled by ${request} every ${every} to ${maxEvery}, at most ${longest}`),
    line('state', `${state === undefined ? 'the HTTP status' : fromText(state)}; ${states.join('; ')}`),
    ...(job.count === undefined ? [] : [line('count', fromText(job.count))]),
    ...(results.type === 'files' ? fileLines(results.at, results.stage, words) : resultLines(results.fn, words)),
  ]
}

function fileLines(at: InResponse<never, unknown>, stage: Stage, { line, fromText, fileText }: Wording): string[] {
  if (stage.type !== 'flatMap' || !stage.download) return []
  return [line('download', fileText({ ...stage.download, at: fromText(at) }, stage.concurrency))]
}

function resultLines(
  fn: Extract<Job['results'], { readonly type: 'requests' }>['fn'],
  { line, functionText, linesOf, placeholder }: Wording,
): string[] {
  try {
    const made = fn(placeholder('job') as never, '{id}')
    if (made) return [line('results', ''), ...linesOf(made.recipe).map((text) => `  ${text}`)]
  } catch {
    /* The function needs a real job. */
  }
  return [line('results', functionText(fn))]
}

/** Returns the request that a call with a placeholder makes, or the text of the function. */
function pollText(poll: (id: string) => JobRequest, { functionText, requestText }: Wording): string {
  try {
    const { request } = poll('{id}').template
    return `${request.method} ${requestText(request)}`
  } catch {
    return functionText(poll)
  }
}

/** Returns what the options of a GraphQL query say, for `sluice list --verbose`. */
export function graphqlFacts({ errors, persisted }: Request): (readonly [what: string, text: string])[] {
  const name = typeof persisted === 'object' && ('id' in persisted ? persisted.id : persisted.sha256Hash)
  return [
    ...(errors === undefined ? [] : [['errors', errors] as const]),
    ...(persisted === undefined ? [] : [['query', `persisted, by ${name || 'its SHA-256'}`] as const]),
  ]
}
