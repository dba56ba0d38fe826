import type { Stage } from '../model/recipe.ts'
import { RejectError } from '../model/errors.ts'
import { reject } from './reject.ts'
import { keep, type Change, type Working } from './working.ts'

export type FieldStage = Extract<Stage, { readonly type: 'rename' | 'pick' | 'omit' }>
type Fields = Readonly<Record<string, unknown>>

/** For one list of names: which fields are taken, and their names afterwards. Or why such records are rejected. */
interface Plan {
  readonly names: readonly string[]
  readonly change: (record: Fields) => Fields
  readonly fault?: { readonly stage: string; readonly reason: string }
}

/** More lists of names than this come from data, not from an API's design; they are worked out record by record. */
const SHAPES = 500

/**
 * `rename`, `pick` and `omit` that follow each other, as one: worked out once for each list of names, not for each
 * record.
 */
export function changeFields(stages: readonly FieldStage[], signal: AbortSignal): Change {
  const plans = new Map<string, Plan>()
  let last: Plan | undefined

  const planOf = (record: Fields): Plan => {
    if (last && hasNames(record, last.names)) return last
    const names = Object.keys(record)
    const key = JSON.stringify(names)
    let plan = plans.get(key)
    if (!plan) {
      plan = planned(names, stages)
      if (plans.size < SHAPES) plans.set(key, plan)
    }
    return (last = plan)
  }

  return (page: Working): void => {
    const records: unknown[] = []
    let places: number[] | undefined
    for (const [place, record] of page.records.entries()) {
      try {
        if (typeof record !== 'object' || record === null || Array.isArray(record))
          throw new RejectError('this is no record with named fields')
        const { change, fault } = planOf(record as Fields)
        if (fault) {
          places ??= records.map((_, index) => index)
          reject(page, place, fault.stage, new RejectError(fault.reason), signal)
          continue
        }
        records.push(change(record as Fields))
        places?.push(place)
      } catch (error) {
        places ??= records.map((_, index) => index)
        reject(page, place, stages[0]!.type, error, signal)
      }
    }
    keep(page, records, places)
  }
}

/** As source text, since an object written with its names is made many times faster than one filled name by name. */
function compiled(fields: readonly { readonly from: string; readonly to: string }[]): Plan['change'] {
  // A computed name, because `"__proto__": …` alone would set the prototype.
  const members = fields.map(({ from, to }) => `[${JSON.stringify(to)}]: record[${JSON.stringify(from)}]`)
  // oxlint-disable-next-line typescript/no-implied-eval -- Names stand in it as JSON text only, which is a string literal.
  return new Function('record', `return { ${members.join(', ')} }`) as Plan['change']
}

/** The same names in the same order. */
function hasNames(record: Fields, names: readonly string[]): boolean {
  let index = 0
  for (const name in record) if (names[index++] !== name) return false
  return index === names.length
}

function planned(names: readonly string[], stages: readonly FieldStage[]): Plan {
  let fields = names.map((name) => ({ from: name, to: name }))
  for (const stage of stages) {
    switch (stage.type) {
      case 'rename': {
        const { from, to } = stage
        const isThere = fields.some((field) => field.to === from)
        if (isThere && from !== to && fields.some((field) => field.to === to)) {
          return {
            names,
            change: (record) => record,
            fault: {
              stage: 'rename',
              reason: `the record has both '${from}' and '${to}': renaming would lose one of them`,
            },
          }
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
  return { names, change: compiled(fields) }
}
