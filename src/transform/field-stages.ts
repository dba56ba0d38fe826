// `rename`, `pick` and `omit`: stages that only change the names of a record's fields.
import { RejectError } from '../model/errors.ts'
import type { Stage } from '../model/recipe.ts'
import { defineErrorName } from '../value/error.ts'
import { compileFunction, fieldOf, literal } from '../value/generated-function.ts'
import { keepRecords, rejectRecord, rejectTombstone, type CompiledStage, type MutablePage } from './mutable-page.ts'

export type FieldStage = Extract<Stage, { readonly type: 'rename' | 'pick' | 'omit' }>
type Fields = Readonly<Record<string, unknown>>

/** The copy function for records that have exactly these field names, in this order. */
interface FieldPlan {
  readonly names: readonly string[]
  readonly copy: (record: Fields) => Fields
}

/** Plans that are kept. Records with more lists of names than this have names from data: each gets a new plan. */
const MAX_PLANS = 500

/** Compiles neighbouring stages into one, which makes a plan once for each list of field names. */
export function compileFieldStages(stages: readonly FieldStage[], signal: AbortSignal): CompiledStage {
  const plans = new Map<string, FieldPlan>()
  let last: FieldPlan | undefined
  const firstStage = stages[0]?.type ?? 'rename'

  const planFor = (record: Fields): FieldPlan => {
    if (last && hasNames(record, last.names)) return last
    const names = Object.keys(record)
    const key = JSON.stringify(names)
    let plan = plans.get(key)
    if (!plan) {
      plan = makePlan(names, stages)
      if (plans.size < MAX_PLANS) plans.set(key, plan)
    }
    return (last = plan)
  }

  const renameTombstones = (page: MutablePage): void => {
    page.tombstones = page.tombstones.flatMap((tombstone) => {
      const { record, origin } = tombstone
      try {
        if (!isRecord(record)) throw new RejectError('this is not a record with named fields')
        return [{ ...tombstone, record: planFor(record).copy(record) }]
      } catch (error) {
        rejectTombstone(page, origin, error, signal)
        return []
      }
    })
  }

  return (page: MutablePage): void => {
    const records: unknown[] = []
    let indexes: number[] | undefined
    for (const [index, record] of page.records.entries()) {
      try {
        if (!isRecord(record)) throw new RejectError('this is not a record with named fields')
        records.push(planFor(record).copy(record))
        indexes?.push(index)
      } catch (error) {
        indexes ??= records.map((_, index) => index)
        const stage = error instanceof RenameConflict ? 'rename' : firstStage
        rejectRecord(page, index, stage, error, signal)
      }
    }
    keepRecords(page, records, indexes)
    if (page.tombstones.length > 0) renameTombstones(page)
  }
}

const isRecord = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** True if the record has these names in this order. */
function hasNames(record: Fields, names: readonly string[]): boolean {
  let index = 0
  for (const name in record) if (names[index++] !== name) return false
  return index === names.length
}

function makePlan(names: readonly string[], stages: readonly FieldStage[]): FieldPlan {
  let fields = names.map((name) => ({ from: name, to: name }))
  for (const stage of stages) {
    switch (stage.type) {
      case 'rename': {
        const { from, to } = stage
        const has = (name: string): boolean => fields.some((field) => field.to === name)
        if (from !== to && has(from) && has(to)) {
          const reason = `the record has both '${from}' and '${to}': renaming would lose one of them`
          return { names, copy: () => throwRenameConflict(reason) }
        }
        fields = fields.map((field) => (field.to === from ? { from: field.from, to } : field))
        break
      }
      case 'pick':
        fields = fields.filter((field) => stage.fields.includes(field.to))
        break
      case 'omit':
        fields = fields.filter((field) => !stage.fields.includes(field.to))
    }
  }
  return { names, copy: copyFunction(fields) }
}

/** Marks a reject of `rename`, whichever of the stages comes first. */
class RenameConflict extends RejectError {
  static {
    defineErrorName(this)
  }
}

function throwRenameConflict(reason: string): never {
  throw new RenameConflict(reason)
}

/** Compiled, because an object literal is created many times faster than an object filled name by name. */
function copyFunction(fields: readonly { readonly from: string; readonly to: string }[]): (record: Fields) => Fields {
  // A computed name, because `"__proto__": …` would set the prototype.
  const members = fields.map(({ from, to }) => `[${literal(to)}]: ${fieldOf('record', from)}`)
  return compileFunction(['record'], `return { ${members.join(', ')} }`) as (record: Fields) => Fields
}
