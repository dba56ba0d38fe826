// A job of an API as data: it is started by one request, polled until it is done, and its results are the records.
import type { Recipe, Stage } from './recipe.ts'
import type { Api, Duration, From, InResponse, Request } from './request.ts'

/** A request of a job, with the API that it goes to. */
export interface JobRequest {
  readonly template: { readonly api: Api; readonly request: Request }
}

/** A value of a job's state. It is compared as text, so 200 is '200'. */
export type JobState = string | number | boolean

/** The results of a job that is done. */
export type JobResults =
  /** Files, whose URLs stand at a place of the last response. `stage` reads the file of each record `{ url }`. */
  | { readonly type: 'files'; readonly at: From<never, unknown>; readonly stage: Stage }
  /** A recipe that a function makes of the body of the last response. Null means no records. */
  | { readonly type: 'requests'; readonly fn: (job: never, id: string) => { readonly recipe: Recipe } | null }

export interface Job {
  /** The place of the job's id in the response to the request that starts it. */
  readonly id: InResponse<never, string | number>
  /** The header that gets the same value each time the same job is started. @default none */
  readonly idempotencyKey?: string
  /** Returns the request that reads the state of a job. @default GET of the id, which is a URL */
  readonly poll?: (id: string) => JobRequest
  /** The place of the state in the response to `poll`. @default its HTTP status */
  readonly state?: InResponse<never, unknown>
  /** States of a job that has come to its end, with results. All that stand in no list mean that it runs. */
  readonly done: readonly string[]
  /** States of a job that has come to its end, and has no records. */
  readonly empty: readonly string[]
  readonly failed: readonly string[]
  /** States of a job whose results are gone. */
  readonly expired: readonly string[]
  /** The place of what the API says about a failure. */
  readonly error?: InResponse<never, unknown>
  /** The place of the number of records. */
  readonly count?: InResponse<never, number | string>
  /** The wait before the first poll. The waits grow up to `maxEvery`. */
  readonly every: Duration
  readonly maxEvery: Duration
  /** A job that runs longer fails. */
  readonly longest: Duration
  /** Jobs that are started after one has failed. */
  readonly retries: number
  /** Returns the request that ends a job that nobody waits for any more. @default none */
  readonly cancel?: (id: string) => JobRequest
  readonly results: JobResults
}
