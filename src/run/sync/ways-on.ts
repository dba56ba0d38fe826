// The endpoints of a stream that are known to lead to a next page, from one run to the next.
import { readWaysOn, rememberWaysOnSql } from '../../ledger/ways-on.ts'
import type { EndpointSeen } from '../../model/slice.ts'
import type { SliceContext } from './slice-context.ts'

export interface WaysOn {
  /** For the readers of the slice. They add what they find. */
  readonly endpoints: Map<string, EndpointSeen>
  /** Returns the statement that stores what was found, undefined if nothing is new. */
  readonly sql: () => string | undefined
}

export async function openWaysOn({ stream, slice, scope }: SliceContext): Promise<WaysOn> {
  const known = new Set(await readWaysOn(stream.database, slice, scope.signal))
  const endpoints = new Map([...known].map((endpoint) => [endpoint, { hasWayOn: true, largestPage: 0 }]))
  return {
    endpoints,
    sql: () => {
      const found = [...endpoints].filter(([endpoint, { hasWayOn }]) => hasWayOn && !known.has(endpoint))
      if (found.length === 0) return undefined
      return rememberWaysOnSql(
        slice,
        found.map(([endpoint]) => endpoint),
      )
    },
  }
}
