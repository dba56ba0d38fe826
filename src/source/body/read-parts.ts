// The pages of one large body: one for each part of its records.
import { openBecause, worstOf, type Completeness } from '../../model/completeness.ts'
import { END, type Page } from '../../model/page.ts'
import type { HttpSource } from '../../model/recipe.ts'
import type { PageRequest } from '../../model/request.ts'
import type { BodyParts, Secrets } from '../../model/scope.ts'
import type { SliceRead } from '../../model/slice.ts'
import { defined } from '../../value/defined.ts'
import type { CursorFollower } from '../cursor/follow-cursor.ts'
import { followedPage } from '../followed-page.ts'
import { labelOf, shownUrl } from '../label-of.ts'
import { DifferentKeys, MAX_KEYS } from '../paging/different-keys.ts'
import { completenessOf } from '../paging/grade.ts'
import type { ReadingEnd } from '../paging/reading-end.ts'
import type { ReadingState } from '../paging/reading-state.ts'
import type { HeldResponse } from '../paging/request-prefetcher.ts'
import { SeenEndpoint } from '../paging/seen-endpoint.ts'
import { statedRecords } from '../paging/stated-totals.ts'
import { positionInBody } from '../position.ts'
import { selectRecords } from '../select-records.ts'

export interface ReadPartsOptions {
  readonly source: HttpSource
  readonly follower: CursorFollower | undefined
  readonly secrets: Secrets
  /** What is known of the parts before. */
  readonly state: ReadingState
  readonly slice: Pick<SliceRead, 'key' | 'endpoints'>
}

/** Yields the parts of a body as pages. The position of each is inside the body, behind its last record. */
export async function* readParts(
  response: HeldResponse & { readonly parts: BodyParts },
  request: PageRequest,
  { source, follower, secrets, state: stored, slice }: ReadPartsOptions,
): AsyncGenerator<Page, void, undefined> {
  // Ends the body too.
  using _held = response.hold
  const { memory, parts } = response
  const url = secrets.hide(shownUrl(response))
  const isFile = source.request.file !== undefined
  const count = statedRecords(source.paging, { ...response, records: [] })?.count
  let state: ReadingState = { ...stored, ...defined({ firstCount: stored.firstCount ?? count, lastCount: count }) }
  const keys = stored.records === 0 ? keysOf(slice.key, count) : undefined
  for (;;) {
    const { records, hold, position, end } = await parts.next()
    const { page, hasEnded } = followedPage(records, follower)
    keys?.add(page.records)
    state = {
      ...state,
      records: state.records + page.counts.fetched,
      ...defined({
        hasCursor: follower?.hasMetField === true || state.hasCursor === true ? (true as const) : undefined,
        isUnordered: follower?.isUnordered === true || state.isUnordered === true ? (true as const) : undefined,
      }),
    }
    if (!end && !hasEnded) {
      yield {
        ...page,
        url,
        position: secrets.hide(positionInBody(request, position, { reading: state, isFile })),
        hold,
        memory,
      }
      continue
    }
    // What stands beside the records says whether the path leads to a list.
    if (end?.envelope !== undefined) selectRecords(source, end.envelope)
    const last: ReadingEnd = {
      paging: source.paging,
      request,
      // The records are known by their number alone.
      response: { ...response, body: end?.envelope, records: Array<unknown>(state.records) },
      state: { ...state, pages: 1, largestPage: state.records },
      stop: end ? 'paginator' : 'order',
      differentKeys: keys?.isUnique ? keys.count : undefined,
    }
    const endpoint = new SeenEndpoint(source.request, slice.endpoints)
    endpoint.add(state.records, { hasWayOn: false })
    const completeness = gradeOf(last, follower, end?.isProven ?? true)
    const reasons = completeness.reasons.map((reason) => secrets.hide(`${labelOf(request)}: ${reason}`))
    yield { ...page, url, position: END, completeness: { ...completeness, reasons }, hold, memory }
    return
  }
}

function keysOf(fields: readonly string[] | undefined, count: number | undefined): DifferentKeys | undefined {
  if (!fields || fields.length === 0 || count === undefined || count > MAX_KEYS) return undefined
  return new DifferentKeys(fields, count)
}

function gradeOf(end: ReadingEnd, follower: CursorFollower | undefined, isProven: boolean): Completeness {
  const { hasCursor, isUnordered, records } = end.state
  const reasons = [
    end.stop === 'order' && isUnordered ? follower?.orderProblem : undefined,
    end.stop !== 'order' && !hasCursor ? follower?.fieldMissing(records) : undefined,
    isProven
      ? undefined
      : 'the response states neither its length nor its end, so a connection that broke off would look like the end',
  ].filter((reason) => reason !== undefined)
  return reasons.reduce<Completeness>(
    (worst, reason) => worstOf(worst, openBecause(reason)) ?? worst,
    completenessOf(end),
  )
}
