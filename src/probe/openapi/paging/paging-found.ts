// A paginator, and what is unsure about it.
import type { FoundPaging } from '../../found.ts'
import type { PageSize } from './page-size.ts'

export interface PagingStated {
  readonly paging: FoundPaging
  readonly questions: readonly string[]
}

export interface PagingFound extends PagingStated {
  /** @default no parameter states it */
  readonly size?: PageSize
}

/** A paginator without questions. */
export const clear = (paging: FoundPaging): PagingStated => ({ paging, questions: [] })
