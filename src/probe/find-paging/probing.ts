// What a style of paging may ask, and what it has to prove.
import type { PageRequest } from '../../model/request.ts'
import { defined } from '../../value/defined.ts'
import type { FoundPaging, FoundRecords } from '../found.ts'
import type { Answer, Sender } from '../send.ts'
import { pageOf, relationOf, type ProbedPage, type Relation } from './page.ts'
import { pagingFields, type PagingFields } from './paging-fields.ts'

/** A way of paging that a second request has proven. */
export interface Proven {
  readonly paging: FoundPaging
  /** The second page, or the page that has proven it. */
  readonly page: ProbedPage
  /** The parameter that holds the page size, if the proof has shown it. */
  readonly sizeParameter?: string
  /** Parameters that the proof has sent beside it. @default none */
  readonly query?: Readonly<Record<string, number>>
  /** The proof, for people. */
  readonly proof: string
}

/** A way of paging that a response suggests. */
export interface Candidate {
  /** What it is, for people. */
  readonly name: string
  /** The lower, the surer it is. */
  readonly rank: number
  /** Sends requests until it is proven. Returns undefined if it is not. */
  readonly prove: () => Promise<Proven | undefined>
}

/** A style of paging: one file each. */
export type Style = (probing: Probing) => Candidate[]

export interface ProbingOptions {
  readonly sender: Pick<Sender, 'get' | 'left'>
  readonly path: string
  /** Without parameters of paging. */
  readonly query: PageRequest['query']
  /** Parameters of paging that the user has given, as `{ page: '1', per_page: '50' }`. */
  readonly given: Readonly<Record<string, string>>
  readonly answer: Answer
  readonly records: FoundRecords
  readonly key: readonly string[]
  /** The parameter that holds the page size, if a request has shown it. */
  readonly sizeParameter?: string
  /** Smaller pages may show more. @default false */
  readonly isWorthSizes?: boolean
  /** An offset is known to count records, not pages. @default false */
  readonly isExact?: boolean
  /** The number of the first page, where a request has shown it. */
  readonly knownStart?: number
  /** Page sizes that are known to have an effect. @default none */
  readonly beside?: Readonly<Record<string, number>>
}

export interface Asked {
  readonly page: ProbedPage
  readonly relation: Relation
}

/** The first page, and requests for others. */
export class Probing {
  readonly options: ProbingOptions
  readonly first: ProbedPage
  readonly fields: PagingFields

  constructor(options: ProbingOptions) {
    this.options = options
    this.first = pageOf(options.answer, options.records, options.key)
    this.fields = pagingFields(options.answer.body, options.records, this.first.records.length)
  }

  get left(): number {
    return this.options.sender.left
  }

  get isWorthSizes(): boolean {
    return this.options.isWorthSizes ?? false
  }

  /** The number of records on the first page. */
  get count(): number {
    return this.first.records.length
  }

  /** Requests the list with other parameters, or with a header. */
  async ask(
    parameters: Readonly<Record<string, string | number>>,
    headers?: Readonly<Record<string, string>>,
  ): Promise<Asked> {
    const { sender, path, query } = this.options
    const texts = Object.fromEntries(Object.entries(parameters).map(([name, value]) => [name, String(value)]))
    return this.#asked(await sender.get(path, { ...query, ...texts }, headers))
  }

  /** Requests the URL of a response, absolute or relative to the first request. */
  async follow(url: string): Promise<Asked> {
    const { sender, answer } = this.options
    return this.#asked(await sender.get(URL.parse(url, answer.url)?.href ?? url, {}))
  }

  /** Returns this probing with other options. */
  with(options: Partial<ProbingOptions>): Probing {
    return new Probing({ ...this.options, ...options })
  }

  /** Returns a probing whose first page is another one, with parameters that each further request has, too. */
  withPages(page: ProbedPage, parameters: Readonly<Record<string, string>>, sizeParameter?: string): Probing {
    const { query } = this.options
    return this.with({ answer: page.answer, query: { ...query, ...parameters }, ...defined({ sizeParameter }) })
  }

  #asked(answer: Answer): Asked {
    const page = pageOf(answer, this.options.records, this.options.key)
    return { page, relation: relationOf(page, this.first) }
  }

  /** The fields of paging of another page. */
  fieldsOf({ answer, records }: ProbedPage): PagingFields {
    return pagingFields(answer.body, this.options.records, records.length)
  }
}

/** Returns text such as `page 2 has 10 other records`. */
export const provenBy = (what: string, { records }: ProbedPage): string =>
  `${what} has ${records.length === 1 ? '1 other record' : `${records.length} other records`}`
