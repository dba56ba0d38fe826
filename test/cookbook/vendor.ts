import { expect } from '@jest/globals'
import type { Pipeline, Report } from '../../src/index.ts'
import { runPipeline as run } from '../../src/run/run-pipeline.ts'
import { apiServer, type ApiAnswer, type ApiRequest } from '../support/api-server.ts'
import { testDatabase } from '../support/database.ts'

export interface VendorOptions {
  /** The variable that the pipeline takes its base from. */
  readonly base: string
  /** What stands behind the origin in the base, such as `/v1`. Paths of requests are given without it. @default '' */
  readonly prefix?: string
  /** Other variables: the secrets, and what the pipeline reads when it is imported. */
  readonly environment?: Readonly<Record<string, string>>
  /** The credentials as the documentation wants them. @default all are let in */
  readonly lets?: (request: ApiRequest) => boolean
  /** What a request with other credentials gets. @default status 401 */
  readonly refusal?: ApiAnswer
  /** What the second request that is let in gets, as the documentation of the limits says. @default none */
  readonly busy?: ApiAnswer | (() => ApiAnswer)
  readonly answer: (request: ApiRequest) => ApiAnswer
}

export interface Vendor extends AsyncDisposable {
  readonly origin: string
  /** Requests that were let in and answered, in their order. */
  readonly served: readonly ApiRequest[]
  /** Milliseconds between `busy` and the same request's second try; 0 if it did not come again. */
  readonly waited: number
}

/** Starts a server that answers as the documentation of an API says, and points the pipeline's variables to it. */
export async function vendor(options: VendorOptions): Promise<Vendor> {
  const { base, prefix = '', environment = {}, lets = () => true, refusal = { status: 401 }, busy, answer } = options
  const served: ApiRequest[] = []
  let refused: { readonly url: string; readonly body: string; readonly at: number } | undefined
  let waited = 0
  const api = await apiServer((request) => {
    const { path } = request
    if (!path.startsWith(prefix)) return { status: 404, json: { error: `no ${path}` } }
    if (!lets(request)) return refusal
    const { url, body } = request
    if (busy && !refused && served.length > 0) {
      refused = { url, body, at: performance.now() }
      return typeof busy === 'function' ? busy() : busy
    }
    if (waited === 0 && refused?.url === url && refused.body === body) waited = performance.now() - refused.at
    const known = { ...request, path: path.slice(prefix.length) }
    served.push(known)
    return answer(known)
  })
  Object.assign(process.env, environment, { [base]: api.origin + prefix })
  return {
    origin: api.origin,
    served,
    get waited() {
      return waited
    },
    [Symbol.asyncDispose]: async () => api[Symbol.asyncDispose](),
  }
}

/** Returns true if the request has this header. */
export const has =
  (name: string, value: string) =>
  ({ headers }: ApiRequest): boolean =>
    headers[name] === value

/** Runs a pipeline with another value of a secret: each stream must fail at once, and no error may show the value. */
export async function expectRefused(
  pipeline: Pipeline,
  secretName: string,
  database: string,
  wrong = 'invented-by-somebody-else',
): Promise<void> {
  const environment = { ...process.env, [secretName]: wrong }
  const report: Report = await run(pipeline, { database, environment })
  for (const { status, error, retries } of Object.values(report.streams)) {
    expect({ status, retries }).toEqual({ status: 'failed', retries: 0 })
    expect(error).not.toContain(wrong)
  }
}

/** Runs a pipeline whose API is busy, until it waits: it must want to wait this long, in milliseconds. */
export async function expectWait(pipeline: Pipeline, ms: number): Promise<void> {
  await using target = await testDatabase()
  const stop = new AbortController()
  const waits: number[] = []
  await run(pipeline, {
    database: target.url,
    signal: stop.signal,
    onEvent: (event) => {
      if (event.type !== 'request.retried') return
      waits.push(event.waitMs)
      stop.abort()
    },
  }).catch(() => undefined)
  expect(Math.max(...waits)).toBe(ms)
}

/** The n-th numbers from `from` to `to`. */
export const numbers = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index)
