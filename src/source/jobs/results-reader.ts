// The pages of the results of a job, with the cursor of the stream and positions inside the job.
import { ENDED, openBecause, worstOf, type Completeness } from '../../model/completeness.ts'
import { NO_READ_COUNTS } from '../../model/counts.ts'
import { DecodeError, PositionLostError } from '../../model/errors.ts'
import { END, isEnd, type Page } from '../../model/page.ts'
import type { Scope } from '../../model/scope.ts'
import type { SliceRead } from '../../model/slice.ts'
import { defined } from '../../value/defined.ts'
import type { ReadPages } from '../children/child-reader.ts'
import type { CursorFollower } from '../cursor/follow-cursor.ts'
import { followedPage } from '../followed-page.ts'
import { DifferentKeys, MAX_KEYS } from '../paging/different-keys.ts'
import { isReordered } from './file-order.ts'
import { gradeOfNone, gradeOfResults, statedCount, type ReadResults } from './grade-results.ts'
import { jobPosition, type JobProgress } from './job-position.ts'
import type { JobResponse } from './job-requests.ts'
import type { JobSource } from './job-source.ts'
import { resultsRecipe } from './results-recipe.ts'

export interface JobResultsReaderOptions {
  readonly source: JobSource
  readonly slice: SliceRead
  readonly scope: Scope
  readonly follower: CursorFollower | undefined
  readonly read: ReadPages
}

/** A page of the results, and what is known of the job behind it. */
export interface ResultsPage {
  readonly page: Page
  readonly progress: JobProgress
}

export class JobResultsReader {
  readonly #options: JobResultsReaderOptions
  /** Different keys of the records, if they are known from the first one on. */
  #keys: DifferentKeys | undefined

  constructor(options: JobResultsReaderOptions) {
    this.#options = options
  }

  /** Yields the pages behind a place in the results. The last one has the position `END`. */
  async *pages(
    response: JobResponse,
    from: JobProgress,
    { id, label }: { readonly id: string; readonly label: string },
  ): AsyncGenerator<ResultsPage, void, undefined> {
    const { source, slice, scope, read } = this.#options
    const stated = this.read(response, label)
    const results = resultsRecipe(source.job, response, { id, label })
    // The rest of the records would be missing, and the reading would look complete.
    if (!results && from.results !== undefined) throw new PositionLostError('it names no results any more')
    if (!results) {
      yield { page: { ...NOTHING, ...defined({ completeness: gradeOfNone(stated) }) }, progress: from }
      return
    }
    const { recipe, files } = results
    // One file would be read twice, and another one never.
    if (from.results !== undefined && isReordered(from.files, files))
      throw new PositionLostError('it names its files in another order')
    if (from.results === undefined) this.#keys = this.#newKeys(stated.count)
    let progress: JobProgress = { ...from, ...defined({ files }) }
    // Files that have changed are others: to read them again would mix the results of two exports.
    const restart = source.job.results.type === 'files' ? 'slice' : slice.restart
    for await (const page of read(recipe, { ...slice, restart, position: from.results ?? null }, scope)) {
      const { page: followed, progress: behind, hasEnded } = this.#follow(page, progress)
      progress = behind
      const isLast = hasEnded || isEnd(page.position)
      const completeness = isLast ? this.#grade(page, stated, { progress, hasEnded }) : undefined
      yield {
        page: isLast ? { ...followed, position: END, ...defined({ completeness }) } : followed,
        progress,
      }
      if (isLast) return
    }
  }

  /** Returns what the job states of its results. */
  read(response: JobResponse, label: string, hasResults = true): ReadResults {
    const { job } = this.#options.source
    const count = statedCount(job, response, { hasResults })
    return { label, place: job.count, count, records: 0, keys: undefined }
  }

  #follow(inner: Page, before: JobProgress): ResultsPage & { readonly hasEnded: boolean } {
    const { follower, scope } = this.#options
    const [reject] = inner.rejects.filter(({ stage }) => stage !== 'read')
    if (reject)
      this.#releasing(inner, () => {
        throw new DecodeError(`the results of the job cannot be read: ${reject.reason}`)
      })
    const { page, hasEnded } = this.#releasing(inner, () => {
      this.#keys?.add(inner.records)
      return followedPage(inner.records, follower)
    })
    // Origins and parents lead to the records of the results, which are the first ones of the stream.
    const { origins: _origins, parents: _parents, position, rejects, counts, completeness, ...rest } = inner
    const progress: JobProgress = {
      ...before,
      records: before.records + counts.fetched,
      ...defined({
        results: position,
        hasCursor: before.hasCursor === true || follower?.hasMetField === true ? (true as const) : undefined,
      }),
    }
    return {
      page: {
        ...rest,
        ...page,
        // The grade of one file is not that of the job, whose number of records may prove more.
        ...(completeness?.grade === 'open' && { completeness }),
        rejects: rejects.map(({ parents: _ancestors, ...one }) => one),
        counts: {
          ...counts,
          parents: 0,
          filtered: counts.filtered + page.counts.filtered,
          duplicate: counts.duplicate + page.counts.duplicate,
        },
        ...(position !== undefined && { position: scope.secrets.hide(jobPosition(progress)) }),
      },
      progress,
      hasEnded,
    }
  }

  /** Releases the memory of a page if it is not handed on. */
  #releasing<Result>({ hold }: Page, work: () => Result): Result {
    try {
      return work()
    } catch (error) {
      hold?.[Symbol.dispose]()
      throw error
    }
  }

  #grade(
    { completeness }: Page,
    stated: ReadResults,
    { progress: { records, hasCursor }, hasEnded }: Pick<ResultsPage, 'progress'> & { readonly hasEnded: boolean },
  ): Completeness | undefined {
    const { follower } = this.#options
    // No later record can be one of the range, whatever the job says about the others.
    if (hasEnded) return worstOf(completeness, follower?.isUnordered ? openBecause(follower.orderProblem) : ENDED)
    const keys = this.#keys?.isUnique ? this.#keys.count : undefined
    const missing = hasCursor ? undefined : follower?.fieldMissing(records)
    return worstOf(
      gradeOfResults({ ...stated, records, keys }, completeness),
      missing === undefined ? undefined : openBecause(missing),
    )
  }

  #newKeys(count: number | undefined): DifferentKeys | undefined {
    const { key = [] } = this.#options.slice
    return count !== undefined && count <= MAX_KEYS && key.length > 0 ? new DifferentKeys(key, count) : undefined
  }
}

const NOTHING = { records: [], rejects: [], counts: NO_READ_COUNTS, position: END } as const
