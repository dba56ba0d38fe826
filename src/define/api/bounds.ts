import type { Bound } from '../../model/request.ts'

/**
 * The start of the range that is read, as a value of a query or of JSON. If the range has no start, the parameter is
 * left out of the request.
 *
 * @example
 * api.get<Order[]>('/orders', { updated_since: since })
 */
export const since: Bound = Object.freeze({ bound: 'since' })
/**
 * The end of the range that is read; records at the end itself are not part of it. A run without an end leaves the
 * parameter out; a backfill sets it for each window.
 *
 * @example
 * api.get<Order[]>('/orders', { from: since, to: until })
 */
export const until: Bound = Object.freeze({ bound: 'until' })
/**
 * A bound in whole seconds since 1970.
 *
 * @example
 * api.get<Order[]>('/orders', { created_gte: unix(since) })
 */
export const unix = ({ bound }: Bound): Bound => Object.freeze({ bound, as: 'unix' })
/**
 * A bound in milliseconds since 1970.
 *
 * @example
 * api.get<Order[]>('/orders', { from: unixMs(since) })
 */
export const unixMs = ({ bound }: Bound): Bound => Object.freeze({ bound, as: 'unix ms' })
/**
 * A bound as a day, such as `2024-01-31`.
 *
 * @example
 * api.get<Day[]>('/days', { from: isoDate(since), to: isoDate(until) })
 */
export const isoDate = ({ bound }: Bound): Bound => Object.freeze({ bound, as: 'date' })
/**
 * A bound as a number, for a counter in JSON or in the variables of a GraphQL query: `Int` accepts no text.
 *
 * @example
 * api.graphql<Data>('query ($after: Int) { … }', { after: asNumber(since) })
 */
export const asNumber = ({ bound }: Bound): Bound => Object.freeze({ bound, as: 'number' })
