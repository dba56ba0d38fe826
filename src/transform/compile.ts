import type { WorkerPool } from '../flow/worker-pool.ts'
import { UsageError } from '../model/errors.ts'
import type { Stage } from '../model/recipe.ts'
import { dedupe } from './dedupe.ts'
import { each, isPromise, type Answers, type EachOptions } from './each.ts'
import { changeFields, type FieldStage } from './fields.ts'
import { offloading } from './offload.ts'
import { reject } from './reject.ts'
import { validating } from './validate.ts'
import { keep, type Change, type Working } from './working.ts'
import { defineErrorName } from '../value/error.ts'

/** Every stage but the one that reads children. */
export type PageStage = Exclude<Stage, { readonly type: 'flatMap' }>

export interface StageContext {
  readonly signal: AbortSignal
  /** Where `offload` runs. */
  readonly workers: () => Pick<WorkerPool, 'run'>
}

/** Stages made ready for the pages of one reading. Those that only name fields are done in one go. */
export function compile(stages: readonly PageStage[], context: StageContext): Change[] {
  const changes: Change[] = []
  for (let index = 0; index < stages.length; index++) {
    const together = stages.slice(index).findIndex((stage) => !isFieldStage(stage))
    const fields = stages.slice(index, together < 0 ? stages.length : index + together) as readonly FieldStage[]
    if (fields.length > 0) {
      changes.push(changeFields(fields, context.signal))
      index += fields.length - 1
    } else changes.push(changeOf(stages[index] as Exclude<PageStage, FieldStage>, context))
  }
  return changes
}

const isFieldStage = ({ type }: PageStage): boolean => type === 'rename' || type === 'pick' || type === 'omit'

function changeOf(stage: Exclude<PageStage, FieldStage>, { signal, workers }: StageContext): Change {
  switch (stage.type) {
    case 'map':
      return replacing(stage.fn, { stage: 'map', concurrency: stage.concurrency, ordered: stage.ordered, signal })
    case 'validate':
      return replacing(validating(stage.schema), { stage: 'validate', concurrency: 16, signal })
    case 'offload':
      return replacing(offloading(stage.module, workers()), {
        stage: 'offload',
        concurrency: stage.concurrency,
        signal,
      })
    case 'filter':
      return filtering(stage.fn, signal)
    case 'tap':
      return tapping(stage.fn, { stage: 'tap', concurrency: stage.concurrency, signal })
    case 'dedupe':
      return dedupe(stage.by, stage.last)
  }
}

/** One record for each. */
const replacing =
  (fn: (record: never, signal: AbortSignal) => unknown, options: EachOptions): Change =>
  (page) => {
    const put = ({ values, places }: Answers): void => keep(page, values, places)
    const answers = each(page, fn, options)
    return answers instanceof Promise ? answers.then(put) : put(answers)
  }

/** A tap's error is no record's fault: it fails the stream. */
const tapping = (fn: (record: never, signal: AbortSignal) => unknown, options: EachOptions): Change => {
  const guarded = (record: never, signal: AbortSignal): unknown => {
    try {
      const answer = fn(record, signal)
      return isPromise(answer) ? answer.then(undefined, tapFailed) : undefined
    } catch (error) {
      return tapFailed(error)
    }
  }
  return async (page) => {
    try {
      await each(page, guarded, options)
    } catch (error) {
      throw error instanceof TapFailure ? error.cause : error
    }
  }
}

function tapFailed(cause: unknown): never {
  throw new TapFailure(cause)
}

class TapFailure extends UsageError {
  static {
    defineErrorName(this)
  }
  constructor(cause: unknown) {
    super('a tap failed', { cause })
  }
}

const filtering =
  (fn: (record: never, signal: AbortSignal) => unknown, signal: AbortSignal): Change =>
  (page: Working): void => {
    const records: unknown[] = []
    const places: number[] = []
    for (const [place, record] of page.records.entries()) {
      try {
        const answer = fn(record as never, signal)
        if (isPromise(answer)) {
          answer.then(undefined, () => {})
          throw new UsageError(
            '.filter(): the function answers a promise, which is always true: look it up by .map() before',
          )
        }
        if (!answer) {
          page.filtered++
          continue
        }
        records.push(record)
        places.push(place)
      } catch (error) {
        reject(page, place, 'filter', error, signal)
      }
    }
    if (records.length < page.records.length) keep(page, records, places)
  }
