import { escapeText, escapeSpecial, SPECIAL_CHARACTERS } from './copy-text.ts'
import { fractionDigits, isDay } from '../../value/instant.ts'
import { loneSurrogate } from '../values/json-text.ts'
import type { LoadedColumn } from '../shape/loaded-column.ts'
import { TypeMismatch } from '../values/type-mismatch.ts'
import { valueText } from '../values/value-text.ts'
import { defineErrorName } from '../../value/error.ts'

/** What the last row said of itself, beside its text. */
export interface RowFacts {
  /** Its key as COPY text: rows of one key have one text, but for what only the database takes for equal. */
  key: string
  /** Its version as COPY text, `\N` for null. */
  version: string
}

/** A record as one line of COPY text; throws a `FieldMismatch` where a value does not fit. */
export type RowEncoder = (record: Readonly<Record<string, unknown>>, facts: RowFacts) => string

/** A mismatch, and the field where it is. */
export class FieldMismatch extends Error {
  static {
    defineErrorName(this)
  }
  readonly field: string
  /** No column has been made for the field yet, since it was only null so far. */
  readonly undetermined: boolean
  constructor(
    field: string,
    reason: string,
    { undetermined = false, cause }: { undetermined?: boolean; cause?: unknown } = {},
  ) {
    super(`${field}: ${reason}`, { cause })
    this.field = field
    this.undetermined = undetermined
  }
}

export interface RowEncoderOptions {
  readonly columns: readonly LoadedColumn[]
  /** The field whose values say which of two rows is newer. */
  readonly version?: string | undefined
  /** Fields that have no column yet: the first value among them asks for one. */
  readonly undetermined: readonly string[]
  /** A column at the end that says the same for every row. */
  readonly constant?: string | undefined
  /**
   * Whether each line is searched for halves of surrogate pairs, which have no bytes: they would silently become
   * U+FFFD.
   */
  readonly careful: boolean
}

/**
 * Compiles the function that turns a record into a line: one straight run through the columns, without a loop, a lookup
 * or a closure for a value of the expected type (2 µs for 16 fields; a function per column takes 1.5 times that). Only
 * unexpected values take the long way, `valueText`.
 */
export function compileRowEncoder({
  columns,
  version,
  undetermined,
  constant,
  careful,
}: RowEncoderOptions): RowEncoder {
  const slow = columns.map((column) => (value: unknown) => slowly(value, column))
  const keys = columns.flatMap(({ key }, index) => (key ? [`k${index}`] : []))
  const body = [
    `let v, t, s = ''${[...keys, 'newer'].map((name) => `, ${name} = ''`).join('')}`,
    ...columns.flatMap((column, index) => {
      const field = JSON.stringify(column.field)
      const tab = index === 0 ? '' : String.raw`'\t' + `
      const kept = [...(column.key ? [`k${index}`] : []), ...(column.field === version ? ['newer'] : [])]
      const nulls = column.key ? [`if (v === null || v === undefined) nullKey(${field})`] : []
      const writes =
        kept.length === 0
          ? [text(column, index, `s += ${tab}`)]
          : [text(column, index, 't = '), `${kept.join(' = ')} = '' + t`, `s += ${tab}t`]
      return [`v = ${value(column.field)}`, ...nulls, ...writes]
    }),
    ...undetermined.map(
      (field) => `v = ${value(field)}; if (v !== null && v !== undefined) undetermined(${JSON.stringify(field)})`,
    ),
    `f.key = ${keys.join(String.raw` + '\t' + `) || "''"}`,
    'f.version = newer',
    ...(careful ? ['if (!s.isWellFormed()) findSurrogate(r)'] : []),
    `return s + ${JSON.stringify(`${constant === undefined ? '' : `\t${constant}`}\n`)}`,
  ]
  const names = [
    'slow',
    'special',
    'escaped',
    'fractionDigits',
    'isDay',
    'nullKey',
    'undetermined',
    'findSurrogate',
  ] as const
  const values = [
    slow,
    SPECIAL_CHARACTERS,
    escapedIn(columns),
    fractionDigits,
    isDay,
    nullKey,
    undeterminedField,
    findSurrogate(columns),
  ]
  // The source holds names only as string literals; no value of a record ever becomes code.
  // oxlint-disable-next-line typescript/no-implied-eval
  const make = new Function(...names, `return (r, f) => {\n${body.join('\n')}\n}`) as (
    ...values: unknown[]
  ) => RowEncoder
  return make(...values)
}

/** A field of the record `r`. Where every object has such a member (`constructor`), only its own counts. */
function value(field: string): string {
  const name = JSON.stringify(field)
  return field in Object.prototype ? `(Object.hasOwn(r, ${name}) ? r[${name}] : null)` : `r[${name}]`
}

/** A statement that writes the text of `v`: a test for the expected type first, then null, then the long way. */
function text({ type, round }: LoadedColumn, index: number, write: string): string {
  const otherwise = `if (v === null || v === undefined) ${write}'\\\\N'\nelse ${write}slow[${index}](v)`
  const when = (test: string, value: string): string => `if (${test}) ${write}${value}\nelse ${otherwise}`
  const escapedText = `(special.test(v) ? escaped(v, ${index}) : v)`
  const [limit, scale = 0] = type.limits
  switch (type.base) {
    case 'text':
      return when(`typeof v === 'string'`, escapedText)
    case 'varchar':
      return when(`typeof v === 'string'${limit === undefined ? '' : ` && v.length <= ${limit}`}`, escapedText)
    case 'bool':
      return when(`typeof v === 'boolean'`, `(v ? 'true' : 'false')`)
    case 'int2':
      return when(`(v | 0) === v && v >= -32768 && v <= 32767`, `v`)
    case 'int4':
      return when(`(v | 0) === v`, `v`)
    case 'int8':
      return when(`typeof v === 'number' && Number.isSafeInteger(v)`, `v`)
    case 'numeric':
      if (limit === undefined || round) return when(`typeof v === 'number' && v - v === 0`, 'v')
      return scale >= 0 && limit - scale > 0 && limit - scale <= 15
        ? when(`Number.isInteger(v) && v < 1e${limit - scale} && v > -1e${limit - scale}`, 'v')
        : otherwise
    case 'float8':
      return when(`typeof v === 'number'`, 'v')
    case 'timestamptz':
      return when(`typeof v === 'string' && (t = fractionDigits(v)) >= 0 && t <= ${limit ?? 6}`, 'v')
    case 'date':
      return when(`typeof v === 'string' && isDay(v)`, 'v')
    default:
      return otherwise
  }
}

function slowly(value: unknown, { field, type, round, declared }: LoadedColumn): string {
  try {
    return escapeText(valueText(value, type, { round, declared }))
  } catch (error) {
    throw error instanceof TypeMismatch ? new FieldMismatch(field, error.message, { cause: error }) : error
  }
}

const escapedIn =
  (columns: readonly LoadedColumn[]) =>
  (value: string, index: number): string => {
    try {
      return escapeSpecial(value)
    } catch (error) {
      throw error instanceof TypeMismatch
        ? new FieldMismatch(columns[index]!.field, error.message, { cause: error })
        : error
    }
  }

function nullKey(field: string): never {
  throw new FieldMismatch(field, 'it belongs to the key and is null')
}

function undeterminedField(field: string): never {
  throw new FieldMismatch(field, 'it has no column yet', { undetermined: true })
}

const findSurrogate =
  (columns: readonly LoadedColumn[]) =>
  (record: Readonly<Record<string, unknown>>): never => {
    const at = columns.find(({ field }) => typeof record[field] === 'string' && !record[field].isWellFormed())
    const reason = new TypeMismatch(loneSurrogate, { hopeless: true })
    throw new FieldMismatch(at?.field ?? 'the record', loneSurrogate, { cause: reason })
  }
