import type { At, ElementOf, PathTo } from '../model/path.ts'
import type { HttpSource } from '../model/recipe.ts'
import type { Api, From, Paging, Range, Request } from '../model/request.ts'
import { Records } from './stream.ts'

/** A request whose answer has a type. Say next how its pages follow each other, be it `onePage()`. */
export class Endpoint<Body> {
  readonly #api: Api
  readonly #request: Request

  constructor(api: Api, request: Request) {
    this.#api = api
    this.#request = request
  }

  /** Ask once and answer the body: for sources of one's own and for stages, which must pass their `signal` on. */
  async fetch({ signal, ...range }: Range & { signal: AbortSignal }): Promise<Body> {
    // oxlint-disable-next-line no-restricted-imports -- The engine is loaded when something is requested.
    const { fetchOnce } = await import('../read/fetch-once.ts')
    // The caller of `get`, `post` or `graphql` names the type of the body.
    return (await fetchOnce(this.#api, this.#request, range, signal)) as Body
  }

  /** How to get from one page to the next: `byCursor(...)` and its like, or a function of your own. */
  pages(paging: Paging<Body>): Pages<Body> {
    return new Pages({ api: this.#api, request: this.#request, paging })
  }
}

/** Pages whose bodies have a type. Say next where their records are. */
export class Pages<Body> {
  readonly #source: Omit<HttpSource, 'records'>

  constructor(source: Omit<HttpSource, 'records'>) {
    this.#source = source
  }

  /**
   * Where the records are: a path to an array, or a function. Nothing, if the body itself is the array.
   * Null there is an empty page; a missing step fails, so that a renamed field is no success with 0 rows, unless it is
   * `optional`.
   */
  records<
    const Where extends PathTo<Body, readonly unknown[]> | ((body: Body) => readonly unknown[] | null | undefined),
  >(
    ...[where, options]: Body extends readonly unknown[]
      ? [where?: Where, options?: RecordsOptions]
      : [where: Where, options?: RecordsOptions]
  ): Records<RecordOf<Body, Where>> {
    const records: From<never, readonly unknown[]> = where ?? ''
    return new Records({
      source: Object.freeze({ ...this.#source, records, ...(options?.optional && { optional: true }) }),
      stages: [],
    })
  }
}

export interface RecordsOptions {
  /** A missing step on the way to the records is an empty page. @default false: it is an error */
  optional?: boolean
}

type RecordOf<Body, Where> = Body extends readonly (infer Item)[]
  ? Item
  : Where extends (body: never) => infer List
    ? ElementOf<List>
    : Where extends string
      ? ElementOf<At<Body, Where>>
      : never
