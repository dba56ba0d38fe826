// What does the request of a list say, besides its page?
import { textAt } from './node.ts'
import type { QueryValue } from '../../model/request.ts'
import type { Operation, ParameterOf } from './operations.ts'
import { plainName } from './paging/names.ts'
import type { Schema, Schemas } from './schema.ts'

type Value = string | number | boolean
export type QueryValues = Record<string, QueryValue>

export interface RequestFound {
  readonly query: QueryValues
  readonly headers: Readonly<Record<string, string>>
  readonly notes: readonly string[]
  readonly questions: readonly string[]
  /** Names of required parameters that have no value. */
  readonly missing: readonly string[]
}

/** Values of parameters, by their names, which the user gave. */
export type Given = ReadonlyMap<string, string>

/** Returns what a request needs: required parameters, and those without which the API hides records. */
export function requestOf(operation: Operation, given: Given, schemas: Schemas, description: Described): RequestFound {
  const query: QueryValues = {}
  const headers: Record<string, string> = {}
  const notes: string[] = []
  const questions: string[] = []
  const missing: string[] = []
  for (const parameter of operation.parameters) {
    if (description.isSent(parameter)) continue
    const { name, in: place, isRequired } = parameter
    const schema = schemas.read(parameter.schema)
    const own = given.get(name)
    if (place === 'header' && isRequired && !IMPLIED_HEADERS.test(name)) {
      const value = own ?? valueOf(parameter, schema)
      if (value === undefined) questions.push(`which value has the required header '${name}'?`)
      else headers[name.toLowerCase()] = String(value)
    }
    if (place !== 'query') continue
    if (own !== undefined) query[name] = own
    else if (isRequired) {
      const value = requiredValue(parameter, schema, schemas, description)
      if (value === undefined) missing.push(name)
      else {
        query[name] = value
        questions.push(`which '${name}'? The API requires it, and ${JSON.stringify(value)} stands there now.`)
      }
    } else hidden(parameter, schema, { query, notes, questions })
  }
  return { query, headers, notes, questions, missing }
}

/** What decides how a list is sent. */
interface Described {
  readonly isSwagger: boolean
  /** True if the API sends the parameter with each request. */
  readonly isSent: (parameter: ParameterOf) => boolean
}

const IMPLIED_HEADERS = /^(accept|content-type|authorization)$/i

function valueOf({ example }: ParameterOf, { words, values }: Schema): Value | undefined {
  return [words['default'], values?.[0], example].find(isPlain)
}

const isPlain = (value: unknown): value is Value =>
  typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'

/** Returns a value of a required parameter; of a list, all values that are possible. */
function requiredValue(
  parameter: ParameterOf,
  schema: Schema,
  schemas: Schemas,
  { isSwagger }: Described,
): Value | readonly string[] | undefined {
  if (!schema.kinds.includes('array')) return valueOf(parameter, schema)
  const items = schemas.read(schema.items)
  const shown = [schema.words['default'], parameter.example].find(Array.isArray)
  const all = items.values ?? shown?.filter(isPlain)
  if (!all || all.length === 0) return undefined
  return isRepeated(parameter, schema, isSwagger) ? all.map(String) : all.join(',')
}

/** `status=a&status=b`, or `status=a,b`. */
const isRepeated = ({ explode }: ParameterOf, { words }: Schema, isSwagger: boolean): boolean =>
  isSwagger ? textAt(words, 'collectionFormat') === 'multi' : explode

interface Target {
  readonly query: QueryValues
  readonly notes: string[]
  readonly questions: string[]
}

/** Values that mean that nothing is left out. */
const ALL = /^(all|any|both|\*)$/i
const FILTERS = /^(status|state|visibility|archived|deleted|active|isactive|isarchived|isdeleted|enabled)$/
const INCLUDES = /^(include|show|with)(all|deleted|archived|inactive|disabled|hidden|trashed|closed)/

/** An API that lists open issues only unless it is asked for all would lose records without a word. */
function hidden({ name }: ParameterOf, { values = [], words }: Schema, { query, notes, questions }: Target): void {
  const usual = words['default']
  const plain = plainName(name)
  const all = values.find((value) => ALL.test(String(value)))
  if (all !== undefined && isPlain(usual) && usual !== all) {
    query[name] = all
    notes.push(`Without ${name}=${String(all)} the API returns ${String(usual)} ones only.`)
  } else if (FILTERS.test(plain) && isPlain(usual) && all === undefined)
    questions.push(
      `is another '${name}' wanted? The API returns ${name}=${String(usual)} unless it is asked for others.`,
    )
  else if (INCLUDES.test(plain) && usual !== true) questions.push(`are records that only '${name}' shows wanted?`)
}
