// What was found out about an API: all that a pipeline file says, as plain data. `pipelineText` writes it down.
import type { Format } from '../model/format.ts'
import type { Auth, Duration, InHeader, MoreIs, Parameter, QueryValue, Rate } from '../model/request.ts'

/** One pipeline file. */
export interface Found {
  /** The name of the pipeline, of its schema, and of the file. */
  readonly name: string
  /** Scheme, host and the beginning of every path. */
  readonly base: string
  /** The environment variable that may replace the base. @default none */
  readonly baseVariable?: string
  /** @default none */
  readonly auth?: readonly FoundAuth[]
  /** Sent with every request. @default none */
  readonly headers?: Readonly<Record<string, string>>
  /** @default no limit */
  readonly rate?: Rate
  /** Lines of the comment at the top of the file. @default none */
  readonly about?: readonly string[]
  /** Types that several records share, by their names. @default none */
  readonly types?: Readonly<Record<string, TypeTree>>
  /** A parent stands before its children. */
  readonly streams: readonly FoundStream[]
  /** What only a person can decide about the whole API. @default none */
  readonly questions?: readonly string[]
}

/** Credentials that a file can state by names of environment variables. */
export type FoundAuth = Extract<Auth, { type: 'bearer' | 'basic' | 'header' | 'query' | 'client credentials' }>

export interface FoundStream {
  /** Letters, digits, `-` and `_`. */
  readonly name: string
  /** `schema.table`. @default the names of the pipeline and of the stream */
  readonly table?: string
  /** Below the base, with a slash before it. `{id}` is a value from the parent's record. */
  readonly path: string
  /** @default 'GET' */
  readonly method?: 'GET' | 'POST'
  /** @default none */
  readonly query?: Readonly<Record<string, QueryValue>>
  /** JSON that a POST request sends. @default none */
  readonly json?: Readonly<Record<string, unknown>>
  readonly parent?: FoundParent
  readonly records: FoundRecords
  /** @default by the content type of the response */
  readonly format?: Format
  readonly paging: FoundPaging
  /** Fields of the record; empty if no key is known. The table is replaced then, because nothing else is safe. */
  readonly key: readonly string[]
  /** Only if a request has proven it. @default every run reads everything */
  readonly cursor?: FoundCursor
  /** The type of one record. */
  readonly record: TypeTree
  /** The name of this type. @default the stream's name in the singular, such as `Order` */
  readonly recordName?: string
  /** Declared columns, such as `{ total: 'numeric' }`. @default by the data */
  readonly columns?: Readonly<Record<string, string>>
  /** @default 'merge' with a key, else 'replace' */
  readonly write?: 'merge' | 'append' | 'replace'
  /** Sentences of the stream's comment. @default none */
  readonly notes?: readonly string[]
  /** What only a person can decide about the stream. @default none */
  readonly questions?: readonly string[]
}

/** A stream whose requests are made for each record of another one. */
export interface FoundParent {
  /** The name of the stream above. */
  readonly stream: string
  /** Fields of the parent's record, by the names in braces of the path. */
  readonly parameters: Readonly<Record<string, string>>
  /** Fields of the parent's record that each child keeps, by their names in the child. @default none */
  readonly keeps?: Readonly<Record<string, string>>
}

/** Where the records are. `at` is a path of the body; '' is the body itself. */
export type FoundRecords =
  | { readonly shape: 'list'; readonly at: string }
  /** One object is the only record. */
  | { readonly shape: 'object'; readonly at: string }
  /** JSON:API. */
  | { readonly shape: 'resources'; readonly at: string }
  /** The members of an object, each with its name in the field `key`. */
  | { readonly shape: 'members'; readonly at: string; readonly key: string }
  /** Lists of values. `header` is the path of their names. @default header: the first row */
  | { readonly shape: 'rows'; readonly at: string; readonly header?: string }

/** A value in a response: a path of the body, or a header. */
export type Place = string | InHeader

/** A URL in a list of links, as in `link: [{ relation: 'next', url: '…' }]`. */
export interface LinkInList {
  /** The path of the list. */
  readonly list: string
  /** The member that holds the relation. */
  readonly rel: 'rel' | 'relation'
  /** The member that holds the URL. */
  readonly url: 'href' | 'url' | 'uri'
}

interface Ends {
  readonly total?: Place
  readonly more?: Place
  /** False: the value at `more` is true on the last page. @default true */
  readonly moreIs?: MoreIs
}

/** The way from one page to the next. It has the shape of `Paging` of the model, without functions. */
export type FoundPaging =
  | { readonly type: 'one page'; readonly atMost?: number }
  | ({ readonly type: 'page'; readonly parameter: Parameter; readonly start: number; readonly pages?: Place } & Ends)
  | ({
      readonly type: 'offset'
      readonly parameter: Parameter
      readonly start: number
      /** The parameter that holds the page size, if it has no usual name. */
      readonly limit?: string
      readonly overlap?: boolean
    } & Ends)
  | ({ readonly type: 'cursor'; readonly parameter: Parameter; readonly at: Place } & Ends)
  | ({ readonly type: 'last record'; readonly parameter: Parameter; readonly at: string } & Ends)
  | ({ readonly type: 'next url'; readonly at: Place | LinkInList } & Ends)
  | { readonly type: 'continue'; readonly at: string }
  | { readonly type: 'link header'; readonly rel: string }
  | { readonly type: 'header'; readonly parameter: Parameter; readonly header: string }

/** The field that runs continue after. Its parameter stands in `query`, as a bound. */
export interface FoundCursor {
  /** A path of the record. */
  readonly at: string
  /** What a number counts. @default it is no time */
  readonly unit?: 's' | 'ms'
  readonly order?: 'ascending' | 'descending'
  readonly startFrom?: string | number
  readonly lookback?: Duration | 0
}

/** A type of TypeScript. */
export type TypeTree =
  | { readonly kind: 'unknown' | 'text' | 'number' | 'bigint' | 'decimal' | 'boolean' | 'null' }
  | { readonly kind: 'literal'; readonly value: string | number | boolean }
  | { readonly kind: 'list'; readonly of: TypeTree }
  /** An object whose names are data. */
  | { readonly kind: 'map'; readonly of: TypeTree }
  | { readonly kind: 'object'; readonly fields: readonly FieldType[] }
  | { readonly kind: 'union'; readonly of: readonly TypeTree[] }
  /** A type of `types`, or the record of a stream. */
  | { readonly kind: 'named'; readonly name: string }

export interface FieldType {
  readonly name: string
  readonly type: TypeTree
  /** @default false */
  readonly isOptional?: boolean
  /** Its comment. @default none */
  readonly note?: string
}
