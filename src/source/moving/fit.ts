// How a response continues a list.
import type { PageRequest } from '../../model/request.ts'

/** The part of a response that continues the list. */
export interface Fit {
  readonly type: 'fit'
  /** The request for these records, without what was requested a second time. */
  readonly request: PageRequest
  /** The records from this request on: the paging depends on them. */
  readonly listed: readonly unknown[]
  /** Those that were not read before. */
  readonly records: readonly unknown[]
  /** True if the list has moved since the page before. */
  readonly isMoved?: true
  /** True if the list begins anew here. */
  readonly isStart?: true
  /** True if no anchor could be checked, though there should have been one. */
  readonly isLoose?: true
  /** True if the position of an interrupted reading is still good. */
  readonly isVerified?: true
}

/** An earlier part of the list has to be read first. */
export interface StepBack {
  readonly type: 'back'
  readonly request: PageRequest
  /** True if the answer shows how the API behaves. The list may not have moved. */
  readonly isProbe?: true
  /** True if the list is read from its start, and what came before does not count. */
  readonly isStart?: true
}

/** Returns all of a response. */
export const whole = (request: PageRequest, records: readonly unknown[]): Fit => ({
  type: 'fit',
  request,
  listed: records,
  records,
})
