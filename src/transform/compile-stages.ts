// Turns the stages of a recipe into functions that change one page after another.
import type { WorkerPool } from '../flow/worker-pool.ts'
import type { FieldCondition } from '../model/condition.ts'
import { fitsRecord } from '../model/fits-condition.ts'
import { RejectError, UsageError } from '../model/errors.ts'
import type { Tombstone } from '../model/page.ts'
import type { Stage, Step } from '../model/recipe.ts'
import { defineErrorName } from '../value/error.ts'
import { callForEach, isPromise, type CallOptions, type RecordFunction, type Results } from './call-for-each.ts'
import { dedupe } from './dedupe.ts'
import { compileFieldStages, type FieldStage } from './field-stages.ts'
import { keepRecords, rejectRecord, type CompiledStage, type MutablePage } from './mutable-page.ts'
import { offloadFunction } from './offload.ts'
import { keyNamesBehind, mergedTombstones, throughKeyStage } from './tombstones.ts'
import { validateFunction } from './validate.ts'

/** Every stage except `flatMap`, which reads children. */
export type PageStage = Exclude<Stage, { readonly type: 'flatMap' }>

export interface StageContext {
  readonly signal: AbortSignal
  /** Returns the threads for `offload`; called only if there is such a stage. */
  readonly workers: () => Pick<WorkerPool, 'run'>
  /** The fields of the key, as records have them behind the stages. @default none: tombstones are not compared */
  readonly key?: readonly string[] | undefined
}

/** Records that are validated at the same time, at most, if the schema returns promises. */
const VALIDATE_CONCURRENCY = 16

/** Neighbouring `rename`, `pick` and `omit` become one function. */
export function compileStages(stages: readonly PageStage[], context: StageContext): CompiledStage[] {
  const compiled: CompiledStage[] = []
  let fieldStages: FieldStage[] = []
  const compileWaitingFieldStages = (): void => {
    if (fieldStages.length > 0) compiled.push(compileFieldStages(fieldStages, context.signal))
    fieldStages = []
  }
  let mayHaveTombstones = false
  for (const [index, stage] of stages.entries()) {
    if (isFieldStage(stage)) fieldStages.push(stage)
    else {
      compileWaitingFieldStages()
      const run = compileStage(stage, context)
      const key = remakes(stage) ? keyNamesBehind(stages.slice(index + 1), context.key) : []
      compiled.push(key.length > 0 ? throughKeyStage(run, { key, always: mayHaveTombstones }) : run)
      mayHaveTombstones ||= stage.type === 'deleted'
    }
  }
  compileWaitingFieldStages()
  return compiled
}

const remakes = ({ type }: PageStage): boolean => type === 'map' || type === 'offload' || type === 'validate'

const isFieldStage = (stage: PageStage): stage is FieldStage =>
  stage.type === 'rename' || stage.type === 'pick' || stage.type === 'omit'

function compileStage(stage: Exclude<PageStage, FieldStage>, { signal, workers }: StageContext): CompiledStage {
  switch (stage.type) {
    case 'map': {
      const { fn, concurrency, ordered } = stage
      return replaceEach(fn, { stage: 'map', concurrency, ordered, signal })
    }
    case 'validate':
      return replaceEach(validateFunction(stage.schema), {
        stage: 'validate',
        concurrency: VALIDATE_CONCURRENCY,
        signal,
      })
    case 'offload': {
      const { module, concurrency } = stage
      return replaceEach(offloadFunction(module, workers()), { stage: 'offload', concurrency, signal })
    }
    case 'filter':
    case 'deleted':
      return takeOut(stage.type, 'where' in stage ? conditionOf(stage.where) : stage.fn, signal)
    case 'flag': {
      const { name, where } = stage
      return replaceEach((record) => flagged(record, name, where), {
        stage: 'flag',
        concurrency: 1,
        ordered: true,
        signal,
      })
    }
    case 'tap':
      return tapEach(stage.fn, { stage: 'tap', concurrency: stage.concurrency, signal })
    case 'dedupe':
      return dedupe(stage.by, stage.last)
  }
}

/** Replaces each record by the function's result. */
const replaceEach =
  (fn: RecordFunction, options: CallOptions): CompiledStage =>
  (page) => {
    const replace = ({ values, indexes }: Results): void => keepRecords(page, values, indexes)
    const results = callForEach(page, fn, options)
    return results instanceof Promise ? results.then(replace) : replace(results)
  }

/** Calls the function for each record. An error of a tap fails the stream: it is not the record's fault. */
function tapEach(fn: RecordFunction, options: CallOptions): CompiledStage {
  const guarded: RecordFunction = (record, signal) => {
    try {
      const result = fn(record, signal)
      return isPromise(result) ? result.then(undefined, throwTapFailure) : undefined
    } catch (error) {
      return throwTapFailure(error)
    }
  }
  return async (page) => {
    try {
      await callForEach(page, guarded, options)
    } catch (error) {
      throw error instanceof TapFailure ? error.cause : error
    }
  }
}

/** A `UsageError` never rejects a record, so this one carries the tap's own error through `callForEach`. */
class TapFailure extends UsageError {
  static {
    defineErrorName(this)
  }

  constructor(cause: unknown) {
    super('a tap failed', { cause })
  }
}

function throwTapFailure(cause: unknown): never {
  throw new TapFailure(cause)
}

const conditionOf =
  (where: FieldCondition): Step<boolean> =>
  (record) =>
    fitsRecord(where, record)

/** Returns a record with one more field. */
function flagged(record: unknown, name: string, where: FieldCondition): unknown {
  if (typeof record !== 'object' || record === null || Array.isArray(record))
    throw new RejectError('this is not a record with named fields')
  return { ...record, [name]: fitsRecord(where, record) }
}

/** Takes out records that a function does not keep, or that it finds to be deleted, and counts them. */
const takeOut =
  (type: 'filter' | 'deleted', fn: Step<boolean>, signal: AbortSignal): CompiledStage =>
  (page: MutablePage): void => {
    const records: unknown[] = []
    const indexes: number[] = []
    const tombstones: Tombstone[] = []
    for (const [index, record] of page.records.entries()) {
      try {
        const isTrue = truthOf(fn(record as never, signal), type)
        if (type === 'deleted' ? isTrue : !isTrue) {
          page[type === 'deleted' ? 'deleted' : 'filtered']++
          if (type === 'deleted')
            tombstones.push({ record, origin: (page.origins ?? page.records)[index], before: records.length })
          continue
        }
        records.push(record)
        indexes.push(index)
      } catch (error) {
        rejectRecord(page, index, type, error, signal)
      }
    }
    if (records.length < page.records.length) keepRecords(page, records, indexes)
    if (tombstones.length > 0) page.tombstones = mergedTombstones(page.tombstones, tombstones)
  }

/** Texts that mean no, as a CSV has them: all records would count as deleted. */
const NO = /^(?:false|f|no|n|0|null|none|off)$/i

function truthOf(result: unknown, type: 'filter' | 'deleted'): boolean {
  if (type === 'deleted' && typeof result === 'string' && NO.test(result))
    throw new Error(
      `the function of .deleted() returned the text '${result}', which counts as true. Return true or false`,
    )
  if (!isPromise(result)) return Boolean(result)
  result.then(undefined, () => {}) // Otherwise a rejection of it would be unhandled.
  throw new UsageError(
    type === 'filter'
      ? '.filter(): the function returned a promise, which is always true. ' +
          'Await it in .map() before, and filter by its result'
      : '.deleted(): the function returned a promise, which is always true. Return true or false',
  )
}
