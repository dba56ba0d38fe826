import type { Bound } from '../model/request.ts'

/**
 * Where the range being read begins: `{ updated_after: since }`. Left out of the request when there is no beginning.
 */
export const since: Bound = Object.freeze({ bound: 'since' })
/** Where it ends; not included. */
export const until: Bound = Object.freeze({ bound: 'until' })
/** A bound in whole seconds since 1970. */
export const unix = ({ bound }: Bound): Bound => Object.freeze({ bound, as: 'unix' })
/** A bound in milliseconds since 1970. */
export const unixMs = ({ bound }: Bound): Bound => Object.freeze({ bound, as: 'unix ms' })
/** A bound as a day, `2024-01-31`. */
export const isoDate = ({ bound }: Bound): Bound => Object.freeze({ bound, as: 'date' })
