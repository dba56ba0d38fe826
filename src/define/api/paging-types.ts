import type { At, ElementOf, PathTo } from '../../model/path.ts'

/** Paths to a field of the records: through exactly one array. */
export type InRecords<Body> = Body extends readonly (infer Item)[]
  ? PathTo<Item, string | number, 1>
  : unknown extends Body
    ? string
    : Through<Body, PathTo<Body, readonly object[]>>
type Through<Body, List extends string> = List extends string
  ? `${List}.${PathTo<ElementOf<At<Body, List>>, string | number, 1>}`
  : never

/** A list in a GraphQL response. */
export interface Connection {
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor?: string | null }
}

/** Paths to a connection, or the reason as the compiler's message. */
export type ConnectionIn<Body> = [PathTo<Body, Connection>] extends [never]
  ? 'the body holds no connection with a pageInfo'
  : PathTo<Body, Connection>
