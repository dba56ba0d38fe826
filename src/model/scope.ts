import type { MemoryAccount } from '../flow/memory-account.ts'
import type { RequestFinished, RunEvent } from './event.ts'
import type { FileParts } from './file-part.ts'
import type { Format } from './format.ts'
import type { Grant } from './grant.ts'
import type { JsonFault } from '../value/json/lenient-json.ts'
import type { Api, ApiResponse, Credentials, Duration, PageRequest, RateLimits } from './request.ts'
import type { GraphqlError, GraphqlErrors, PersistedQuery } from './graphql.ts'
import type { RuleData } from './response-rule.ts'

/** Everything that reading needs from its run. Recipes hold no connection, socket or environment value. */
export interface Scope {
  /** Aborts when the work has to stop. Every wait obeys it. */
  readonly signal: AbortSignal
  readonly now: () => Date
  /** Waits, for a test with a clock of its own. @default the timers of the process */
  readonly sleep?: (ms: number, options: { readonly signal: AbortSignal }) => Promise<void>
  readonly emit: (event: RunEvent) => void
  readonly secrets: Secrets
  /** Returns the open client of an API: one for each API and run. */
  readonly client: (api: Api) => Client
  /** The reader's account in the memory budget of the process. */
  readonly memory: MemoryAccount
  /** The stream that is read, for events. */
  readonly stream?: string
  /** Returns the list of a source that other streams of the run read, too. @default each reads by itself */
  readonly sharedList?: (source: object) => JoinedList | undefined
}

/** A list that several streams of a run read at the same time. */
export interface JoinedList {
  /** Returns a client that shares its responses, undefined if the others have started already. */
  readonly join: (stream: string, client: Client) => (Client & Disposable) | undefined
  /** The stream reads by itself, because it resumes inside the list. */
  readonly pass: (stream: string) => void
}

export interface Secrets {
  /** Returns the value of a secret. Throws `UsageError` if it is not set. */
  readonly value: (name: string) => string
  /** Replaces the value of each known secret in a text or in JSON by `{secret:NAME}`. */
  readonly hide: <T>(value: T) => T
  /**
   * Replaces `{secret:NAME}` by the value. A response may contain such a text too, so a request reveals only the
   * `names` that its own API uses. @default all names
   */
  readonly reveal: <T>(value: T, names?: readonly string[]) => T
  /** Returns true if the environment has a value for the secret. */
  readonly isSet?: (name: string) => boolean
  /** Hides a value that no variable has: a token that was fetched, an encoded password. */
  readonly register?: (name: string, value: string) => void
}

/** Sends requests to one API: authenticated, limited, retried and decoded. Replaces `{secret:NAME}` in a request. */
export interface Client {
  send: (request: PageRequest, options: SendOptions) => Promise<DecodedResponse>
}

/** The number of requests that an API admits, shared by all its streams. */
export interface Budget {
  /**
   * Waits until this many requests may be sent; with 0, only for the paths. Throws `RateLimitedError` if the API asks
   * for a longer wait than a run accepts.
   */
  acquire: (requests: number, options: AcquireOptions) => Promise<void>
  /** Learns the limits that the API states in a response. */
  observe: (status: number, headers: ApiResponse<unknown>['headers'], origin: ResponseOrigin) => void
  /** Waits, and no longer if limits are lifted meanwhile. */
  sleep: (ms: number, options: { readonly signal: AbortSignal }) => Promise<void>
}

export interface AcquireOptions {
  readonly signal: AbortSignal
  /** Waits of these paths concern the request, and those of the whole API. @default none */
  readonly paths?: readonly string[]
  /** Called before each wait. */
  readonly onWait?: (reason: 'rate limit' | 'retry-after' | 'token', ms: number) => void
}

/** The request whose response states limits. */
export interface ResponseOrigin {
  /** The path that was asked for, without values and parameters. */
  readonly path: string
  /** Overrides how far a wait reaches. @default by the length of the wait and by the headers */
  readonly reach?: 'api' | 'path' | undefined
  /** The wait that a rule found, in milliseconds. @default that of `Retry-After` */
  readonly waitMs?: number | undefined
  /** Limits that the body of the response states. */
  readonly body?: StatedByBody | undefined
  /** The request as messages name it. */
  readonly request: string
  readonly stream: string
}

/** Limits that stand in the body of a response, such as the cost of a GraphQL query. */
export interface StatedByBody {
  /** No request is admitted for so long. */
  readonly waitMs?: number
  /** So many requests are admitted within a time. */
  readonly remaining?: { readonly requests: number; readonly ms: number }
  /** As messages name it. */
  readonly text: string
}

export interface SendOptions {
  readonly signal: AbortSignal
  readonly memory: MemoryAccount
  /** Headers of the endpoint. They replace those of the API. */
  readonly headers?: Readonly<Record<string, string>>
  /** The credentials of the request. @default those of the API */
  readonly auth?: Credentials | undefined
  /** The limits of the request. @default those of the API */
  readonly rate?: RateLimits | undefined
  /** Rules of the request, before those of the API. @default none */
  readonly rules?: readonly RuleData[]
  /** The time limit of one try. @default that of the API */
  readonly timeout?: Duration | undefined
  /** Files of a multipart form. @default none */
  readonly files?: FileParts | undefined
  /** The form of the body. @default by the content type of the response, else JSON */
  readonly format?: Format | undefined
  /** The path of the records in the body; '' is the body itself. @default they are found in another way */
  readonly records?: string | undefined
  /**
   * Accepts a large body part by part. A body that ends within the first part is returned as a whole, unless reading
   * continues inside it. @default every body is returned as a whole
   */
  readonly parts?: PartsOptions
  /**
   * Accepts a body in which a few values or records cannot be read. Its reader must reject them. @default false: it
   * fails
   */
  readonly acceptFaults?: boolean
  /** What errors beside the data of a GraphQL response mean. @default 'fail' */
  readonly graphqlErrors?: GraphqlErrors | undefined
  /** Names a GraphQL query instead of sending its text. @default the text is sent */
  readonly persisted?: PersistedQuery | undefined
  /** The path of the endpoint, `{}` in place of its values: a long wait holds for it. @default the path of the URL */
  readonly endpoint?: string | undefined
  /** The stream that needs the response, for events. */
  readonly stream?: string | undefined
  /** Called for each response of the API, with what is said of the credentials; undefined if nothing is. */
  readonly onGrant?: (grant: Grant | undefined) => void
  /** Called after each try, with its status, or 0 without a response. `ms` counts from when the request was sent. */
  readonly onTry?: (status: number, ms: number) => void
  /** Called with each event of this request, and of those that its redirects make of it. */
  readonly onRequest?: (event: RequestFinished) => void
}

export interface PartsOptions {
  /** Ends the body when it aborts. */
  readonly signal: AbortSignal
  /** The place in the body where reading continues. @default its start */
  readonly from?: BodyPosition | undefined
}

/** A place behind a record of a body. */
// A type, because it becomes JSON of the ledger.
export type BodyPosition = {
  /** Records before it. */
  readonly records: number
  /** Digest of their texts: it shows whether the body is still the same. */
  readonly digest: string
}

/** A body that is read part by part. It is requested again if it breaks off. */
export interface BodyParts extends Disposable {
  /** Returns the next part. Call it once more only when the records of the last one are wanted no more, or held. */
  next: () => Promise<BodyPart>
}

export interface BodyPart {
  /** Some may be an `UnreadableRecord`. */
  readonly records: readonly unknown[]
  /** The memory of the part. */
  readonly hold: Disposable
  /** The place behind its records. */
  readonly position: BodyPosition
  /** Of the last part only. */
  readonly end?: BodyEnd
}

export interface BodyEnd {
  /** The body without its records; undefined if it is nothing but a list. */
  readonly envelope: unknown
  /** False if a connection that broke off would look the same. */
  readonly isProven: boolean
}

export interface DecodedResponse extends Omit<ApiResponse<unknown>, 'records'> {
  /** The records, if the body is read part by part. Its body is undefined then. */
  readonly parts?: BodyParts
  /** The records, where the format finds them itself. */
  readonly found?: readonly unknown[]
  /** The rule that made it a page without records. Its body is undefined then. */
  readonly rule?: RuleData & { readonly action: 'empty' | 'skip' }
  /** Values of the body that JSON does not know. Only if the request accepts them. */
  readonly faults?: BodyFaults
  /** Errors beside the data of a GraphQL response. Only if the request accepts them. */
  readonly errors?: readonly GraphqlError[]
  /** Size of the decoded body text. */
  readonly bytes: number
  /** Holds this size in the memory budget until it is disposed. */
  readonly hold: Disposable
}

/** Values of a body that JSON does not know, such as NaN. */
export interface BodyFaults {
  readonly list: readonly JsonFault[]
  /** Returns the text of an object that contains such a value. */
  readonly textOf: (holder: object) => string | undefined
  /** The error of a response whose faults are not in its records. */
  readonly error: (fault: JsonFault) => Error
}
