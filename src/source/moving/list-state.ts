// What a position keeps of a list that may move.
import type { Incremental } from '../../model/recipe.ts'
import type { PageRequest, Paging } from '../../model/request.ts'
import type { SliceRead } from '../../model/slice.ts'
import type { ReadingState } from '../paging/reading-state.ts'
import { ANCHOR_LENGTH } from './record-identity.ts'

/** Part of the position, as JSON in the ledger: the names of its members must stay the same in all versions. */
export interface ListState {
  /** The last records before the position. */
  readonly anchors?: string
  /** Equal records have another content each time. */
  readonly volatile?: true
  /** The number of this pass. @default 1 */
  readonly pass?: number
  /** The first records of this pass. */
  readonly first?: string
  /** The first records of the pass before. This one ends where it meets them. */
  readonly front?: string
  /** The list has moved in this pass. */
  readonly moved?: true
  /** The reading was interrupted in this pass, and the records before the position could not be found again. */
  readonly interrupted?: true
  /** What hints that the list has moved. */
  readonly hint?: string
  /** Numbers of records that the last response stated, by name. */
  readonly counts?: Readonly<Record<string, number>>
  /** Without a key: the anchors of records that were read, and may come again behind others. */
  readonly mayCome?: string
  /** Without a key: records behind the position may have been read, and only the interrupted process knew which. */
  readonly unsure?: true
  /** A page of this pass did not overlap with the one before it. */
  readonly unjoined?: true
  /** Pages that were joined without an anchor. */
  readonly loose?: true
  /** The API knows only the offsets of whole pages, so pages do not overlap. */
  readonly aligned?: true
}

export interface MovingListOptions {
  /** The request with which each pass through the list begins. */
  readonly start: PageRequest
  readonly paging: Paging<never>
  readonly incremental: Incremental | undefined
  readonly slice: Pick<SliceRead, 'key' | 'restart' | 'position' | 'pass' | 'passDigests' | 'startedAt'>
  /** What is known of the pages before the stored position. */
  readonly stored: Pick<ReadingState, 'list' | 'largestPage' | 'isPartial'>
}

export interface OverlapOptions {
  /** Rows are found by a key, so that a record may be read twice. */
  readonly isKeyed: boolean
  /** The content of a record shows whether it was touched; without it, only the value of its cursor does. */
  readonly hasContent: boolean
  /** Records of the largest page before the stored position. */
  readonly largestPage: number
  /** Rows that were appended without a key may be removed, to begin anew. Otherwise what comes twice is left out. */
  readonly mayRestart: boolean
  /** What the stored position says. */
  readonly stored: ListState
}

/** Returns the anchors of a text. */
export function anchorsIn(text: string): string[] {
  return Array.from({ length: text.length / ANCHOR_LENGTH }, (_, index) =>
    text.slice(index * ANCHOR_LENGTH, (index + 1) * ANCHOR_LENGTH),
  )
}
