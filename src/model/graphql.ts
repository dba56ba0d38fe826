// GraphQL as it goes over HTTP: errors beside data, and queries that the server knows by a name.

/**
 * What errors beside the data of a response mean: the stream fails; the records at their paths are rejected and the
 * others stored; or the data is stored as it is.
 */
export type GraphqlErrors = 'fail' | 'reject' | 'keep'

/** An error of a response. */
export interface GraphqlError {
  readonly message: string
  /** Where in the data it happened. Empty if it concerns the whole response. */
  readonly path: readonly (string | number)[]
  /** `extensions.code`, or `type`; '' if there is none. */
  readonly code: string
}

/**
 * How a query is named instead of sent as text: by the SHA-256 of its text, by a hash that the server was given, or by
 * an id. The text is sent if the server does not know the hash.
 */
export type PersistedQuery =
  | true
  | { readonly sha256Hash: string }
  | {
      readonly id: string
      /** The member of the body that holds the id. @default 'documentId' */
      readonly as?: string
    }
