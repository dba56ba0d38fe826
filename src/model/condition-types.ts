import type { InResponse } from './request.ts'

export type Scalar = string | number | boolean | null

/** What a value must be: one of some values, or there at all. */
export interface Test {
  readonly is?: Scalar | readonly Scalar[] | undefined
  readonly exists?: boolean | undefined
}

/** A condition on a value of a response. */
export interface InCondition<Body> extends Test {
  readonly at: InResponse<Body, unknown>
}

/** A condition on a field of a record. */
export interface FieldCondition extends Test {
  readonly field: string
}
