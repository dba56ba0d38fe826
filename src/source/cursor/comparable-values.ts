// Reads the cursor value of each record, if it can be compared with the range and with the other records.
import { DecodeError } from '../../model/errors.ts'
import type { Incremental } from '../../model/recipe.ts'
import type { Range } from '../../model/request.ts'
import { formatNumber } from '../../value/format.ts'
import { nearest } from '../../value/nearest.ts'
import { valueFrom } from '../response-value.ts'
import { cursorValue, type CursorValue } from './cursor-value.ts'

export class ComparableValues {
  readonly #at: Incremental['at']
  readonly #range: Range
  readonly #location: string
  readonly #warn: (message: string) => void
  /** The kind of the range, or of the first value if there is no range. */
  #kind: CursorValue['kind'] | undefined
  /** True once a value had the kind of the range: from then on another kind is an exception. */
  #hasMatched: boolean
  #hasWarned = false
  #hasMetField = false
  /** The first record without the field. */
  #without: unknown

  constructor(
    at: Incremental['at'],
    range: Range,
    kind: CursorValue['kind'] | undefined,
    { location, warn }: { readonly location: string; readonly warn: (message: string) => void },
  ) {
    this.#at = at
    this.#range = range
    this.#kind = kind
    this.#hasMatched = kind === undefined
    this.#location = location
    this.#warn = warn
  }

  /**
   * Returns undefined if the record has no value, or one of another kind, about which it warns once. Throws if the
   * first value does not fit the range: then the definition is wrong, not the record.
   */
  valueOf(record: unknown): CursorValue | undefined {
    const raw = valueFrom(this.#at, record)
    if (raw !== undefined) this.#hasMetField = true
    else this.#without ??= record
    const value = cursorValue(raw)
    if (value === undefined) return undefined
    if (value !== null) {
      this.#kind ??= value.kind
      if (isComparable(value, this.#kind)) {
        this.#hasMatched = true
        return value
      }
      if (!this.#hasMatched) throw this.#rangeMismatch(value, this.#kind)
    }
    if (!this.#hasWarned)
      this.#warn(
        `${this.#location}: a record's value cannot be compared with the others. ` +
          'Such records are stored, but do not move the cursor',
      )
    this.#hasWarned = true
    return undefined
  }

  /** True if a record had the field. It may have been null. */
  get hasMetField(): boolean {
    return this.#hasMetField
  }

  /** Returns why the cursor cannot move if none of the records had its field; undefined if one had it. */
  fieldMissing(records: number): string | undefined {
    if (this.#hasMetField || this.#without === undefined) return undefined
    const what = typeof this.#at === 'string' ? 'this field' : 'a value'
    const names = namesOf(this.#without)
    const [none, have] =
      records === 1
        ? [`the only record does not have ${what}`, 'It has']
        : [`none of ${formatNumber(records)} records has ${what}`, 'A record has']
    const near = typeof this.#at === 'string' ? nearest(this.#at, Object.keys(this.#without ?? {})) : undefined
    return (
      `${this.#location}: ${none}.${names === '' ? '' : ` ${have} ${names}.`} ` +
      (near === undefined ? '' : `Did you mean '${near}'? `) +
      'Correct the name: without it the cursor does not move, and every run reads everything'
    )
  }

  #rangeMismatch(value: CursorValue, kind: CursorValue['kind']): DecodeError {
    const hint =
      (value.kind === 'number' ? ". If the number counts time, add { unit: 's' } or { unit: 'ms' }" : '') +
      (this.#range.since === undefined
        ? ''
        : '. If the range begins at a cursor that another field has stored, remove it, and the next run reads ' +
          'everything: sluice cursor reset PIPELINE.STREAM')
    return new DecodeError(
      `${this.#location}: the range is ${KIND_NAMES[kind]} ('${this.#range.since ?? this.#range.until}'), ` +
        `but the record's value is ${KIND_NAMES[value.kind]} ('${value.raw}')${hint}`,
    )
  }
}

/** Names that a message lists at most. */
const MAX_NAMES = 20

function namesOf(record: unknown): string {
  if (typeof record !== 'object' || record === null) return ''
  const names = Object.keys(record)
  return names.slice(0, MAX_NAMES).join(', ') + (names.length > MAX_NAMES ? ', …' : '')
}

const KIND_NAMES: Readonly<Record<CursorValue['kind'], string>> = {
  instant: 'a time',
  number: 'a number',
  text: 'text',
}

/** Numbers in text compare with text, times only with times. */
const isComparable = (value: CursorValue, kind: CursorValue['kind']): boolean =>
  value.kind === kind || (kind !== 'instant' && value.kind !== 'instant' && typeof value.raw === 'string')
