import { fractionDigits, isDay } from '../../value/instant.ts'
import { compileFunction, fieldOf, literal } from '../../value/generated-function.ts'
import { illFormedProblem } from '../../value/text.ts'
import type { LoadedColumn } from '../shape/loaded-column.ts'
import { FieldMismatch, TypeMismatch } from '../values/type-mismatch.ts'
import { valueText } from '../values/value-text.ts'
import { escapeSpecial, escapeText, SPECIAL_CHARACTERS } from './copy-text.ts'

/** Key and version of the row that was encoded last. */
export interface RowFacts {
  /** The key as COPY text: rows with one key have one text, except for keys that only the database takes for equal. */
  key: string
  /** The version as COPY text, `\N` for null. */
  version: string
  /** Texts of further columns that are the same in all rows of the page, each behind a tab. Set it before. */
  more: string
  /** With `marksAbsent`: a digit for each column, 1 for a field that the record does not have; '' if it has all. */
  absent: string
}

/** Returns a record as one line of COPY text; throws a `FieldMismatch` if a value does not fit its column. */
export type RowEncoder = (record: Readonly<Record<string, unknown>>, facts: RowFacts) => string

export interface RowEncoderOptions {
  readonly columns: readonly LoadedColumn[]
  /** The field whose value decides which of two rows is newer. */
  readonly version?: string | undefined
  /** Fields without a column yet: the first value among them throws. */
  readonly undetermined: readonly Pick<LoadedColumn, 'field' | 'emptyIsNull'>[]
  /** The text of a last column that is the same in every row. */
  readonly constant?: string | undefined
  /** Appends the further columns of the facts. @default false */
  readonly hasMore?: boolean
  /** Writes into a last column which fields the record does not have, and requires the version. @default false */
  readonly marksAbsent?: boolean | undefined
  /** Further fields whose absence is marked, behind the columns. @default none */
  readonly lists?: readonly string[] | undefined
  /** Gets a 1 for each column that has a value in a row. */
  readonly seen: Uint8Array
  /** Check each line for halves of surrogate pairs, which UTF-8 cannot write: they would silently become U+FFFD. */
  readonly careful: boolean
}

/**
 * Compiles the function that turns a record into a line: straight code through the columns, without a loop, a lookup or
 * a closure for a value of the expected type. 16 fields take 2 µs; a function for each column takes 1.5 times that.
 * Only unexpected values take the long way, `valueText`.
 */
export function compileRowEncoder(options: RowEncoderOptions): RowEncoder {
  const { columns } = options
  // The names by which the generated code calls these functions.
  const helpers = {
    special: SPECIAL_CHARACTERS,
    fractionDigits,
    isDay,
    long: columns.map((column) => (value: unknown) => longWay(value, column)),
    escape: (value: string, index: number) => escapeIn(columns[index], value),
    nullKey,
    noVersion,
    missing: new Uint8Array(columns.length + (options.lists?.length ?? 0)),
    undetermined: refuseUndetermined,
    seen: options.seen,
    findSurrogate: (record: Readonly<Record<string, unknown>>) => refuseSurrogate(columns, record),
  }
  const body = `return (r, f) => {\n${bodyOf(options).join('\n')}\n}`
  // The body returns a row encoder.
  const make = compileFunction(Object.keys(helpers), body) as (...values: unknown[]) => RowEncoder
  return make(...Object.values(helpers))
}

/** Writes the body of the encoder: `r` is the record, `f` its facts, `s` the line, `v` a value, `t` its text. */
function bodyOf(options: RowEncoderOptions): string[] {
  const { columns, undetermined, constant, careful, hasMore = false, marksAbsent = false } = options
  const keys = columns.flatMap(({ key, constant }, index) => (key && constant === undefined ? [`k${index}`] : []))
  const end = [
    literal(constant === undefined ? '' : `\t${constant}`),
    ...(hasMore ? ['f.more'] : []),
    ...(marksAbsent ? [String.raw`'\t' + (f.absent || '\\N')`] : []),
    String.raw`'\n'`,
  ].join(' + ')
  return [
    `let v, t, s = ''${[...keys, 'newer'].map((name) => `, ${name} = ''`).join('')}`,
    ...(marksAbsent ? ['let n = 0'] : []),
    ...columns.flatMap((column, index) => columnCode(column, index, options)),
    ...undetermined.map(
      (column) => `v = ${readField(column.field)}; if (!(${isNull(column)})) undetermined(${literal(column.field)})`,
    ),
    `f.key = ${keys.join(String.raw` + '\t' + `) || "''"}`,
    'f.version = newer',
    ...(marksAbsent
      ? (options.lists ?? []).flatMap((field, index) => [`v = ${readField(field)}`, markCode(columns.length + index)])
      : []),
    ...(marksAbsent ? [`f.absent = n === 0 ? '' : missing.join('')`] : []),
    ...(careful ? ['if (!s.isWellFormed()) findSurrogate(r)'] : []),
    `return s + ${end}`,
  ]
}

/** Writes the code that appends one column to the line. Keeps the text of key columns and of the version. */
function columnCode(
  column: LoadedColumn,
  index: number,
  { version, marksAbsent = false }: Pick<RowEncoderOptions, 'version' | 'marksAbsent'>,
): string[] {
  const { field } = column
  const tab = index === 0 ? '' : String.raw`'\t' + `
  if (column.constant !== undefined) return [`s += ${tab}${literal(escapeText(column.constant))}`]
  const kept = [...(column.key ? [`k${index}`] : []), ...(field === version ? ['newer'] : [])]
  const refuseNull = column.key ? [`if (${isNull(column)}) nullKey(${literal(field)})`] : []
  if (marksAbsent && field === version) refuseNull.push(`if (v === undefined) noVersion(${literal(field)})`)
  else if (marksAbsent && !column.key) refuseNull.push(markCode(index))
  const append =
    kept.length === 0
      ? [textCode(column, index, `s += ${tab}`)]
      : [textCode(column, index, 't = '), `${kept.join(' = ')} = '' + t`, `s += ${tab}t`]
  return [`v = ${readField(field)}`, ...refuseNull, ...append]
}

/** Writes the code that marks an absent field. The array is cleared only for a record that lacks something. */
const markCode = (index: number): string =>
  `if (v === undefined) { if (n === 0) missing.fill(0); missing[${index}] = 1; n += 1 }`

/** Reads a field of the record. A name that every object has (`constructor`) counts only as the record's own member. */
const readField = (field: string): string =>
  field in Object.prototype
    ? `(Object.hasOwn(r, ${literal(field)}) ? ${fieldOf('r', field)} : undefined)`
    : fieldOf('r', field)

const isNull = ({ emptyIsNull = false }: Pick<LoadedColumn, 'emptyIsNull'>): string =>
  `v === null || v === undefined${emptyIsNull ? ` || v === ''` : ''}`

/**
 * Writes the statement for the text of `v`: a test for the expected type first, then null, then the long way. It notes
 * that the column has a value.
 */
function textCode(column: LoadedColumn, index: number, write: string): string {
  const otherwise = `if (${isNull(column)}) ${write}'\\\\N'\nelse { ${write}long[${index}](v); seen[${index}] = 1 }`
  const expected = expectedCode(column, index)
  return expected
    ? `if (${expected.test}) { ${write}${expected.text}; seen[${index}] = 1 }\nelse ${otherwise}`
    : otherwise
}

/** Returns the test for values that a type takes as they are, and the expression of their text. */
function expectedCode(
  { type, round, time, emptyIsNull = false }: LoadedColumn,
  index: number,
): { readonly test: string; readonly text: string } | undefined {
  if (time) return undefined
  const [limit, scale = 0] = type.limits
  const escaped = `(special.test(v) ? escape(v, ${index}) : v)`
  const isText = `typeof v === 'string'${emptyIsNull ? ` && v !== ''` : ''}`
  switch (type.base) {
    case 'text':
      return { test: isText, text: escaped }
    case 'varchar':
      return { test: `${isText}${limit === undefined ? '' : ` && v.length <= ${limit}`}`, text: escaped }
    case 'bool':
      return { test: `typeof v === 'boolean'`, text: `(v ? 'true' : 'false')` }
    case 'int2':
      return { test: `typeof v === 'number' && (v | 0) === v && v >= -32768 && v <= 32767`, text: 'v' }
    case 'int4':
      return { test: `typeof v === 'number' && (v | 0) === v`, text: 'v' }
    case 'int8':
      return { test: `typeof v === 'number' && Number.isSafeInteger(v)`, text: 'v' }
    case 'numeric':
      if (limit === undefined || round) return { test: `typeof v === 'number' && v - v === 0`, text: 'v' }
      return scale >= 0 && limit - scale > 0 && limit - scale <= 15
        ? { test: `Number.isInteger(v) && v < 1e${limit - scale} && v > -1e${limit - scale}`, text: 'v' }
        : undefined
    case 'float8':
      return { test: `typeof v === 'number'`, text: 'v' }
    case 'timestamptz':
      return { test: `typeof v === 'string' && (t = fractionDigits(v)) >= 0 && t <= ${limit ?? 6}`, text: 'v' }
    case 'date':
      return { test: `typeof v === 'string' && isDay(v)`, text: 'v' }
    default:
      return undefined
  }
}

function longWay(value: unknown, column: LoadedColumn): string {
  try {
    return escapeText(valueText(value, column.type, column))
  } catch (error) {
    throw error instanceof TypeMismatch ? new FieldMismatch(column.field, error.message, { cause: error }) : error
  }
}

function escapeIn(column: LoadedColumn | undefined, value: string): string {
  try {
    return escapeSpecial(value)
  } catch (error) {
    throw error instanceof TypeMismatch
      ? new FieldMismatch(column?.field ?? 'the record', error.message, { cause: error })
      : error
  }
}

function nullKey(field: string): never {
  throw new FieldMismatch(field, 'it belongs to the key and is null')
}

/** Nothing says whether the record is newer than the stored row, whose other fields it would leave as they are. */
function noVersion(field: string): never {
  throw new FieldMismatch(field, "it is the version, and with absent: 'keep' each record must have it")
}

function refuseUndetermined(field: string): never {
  throw new FieldMismatch(field, 'it has no column yet', { undetermined: true })
}

function refuseSurrogate(columns: readonly LoadedColumn[], record: Readonly<Record<string, unknown>>): never {
  const column = columns.find(({ field }) => typeof record[field] === 'string' && !record[field].isWellFormed())
  const problem = illFormedProblem(String(column && record[column.field]))
  const cause = new TypeMismatch(problem, { permanent: true })
  throw new FieldMismatch(column?.field ?? 'the record', problem, { cause })
}
