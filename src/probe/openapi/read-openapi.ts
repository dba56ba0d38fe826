// Turns the description of an API into what a pipeline file says.
import { UsageError } from '../../model/errors.ts'
import { redactUrl } from '../../observe/redact.ts'
import type { Found, FoundStream, TypeTree } from '../found.ts'
import { streamName } from '../write/names.ts'
import { authOf } from './auth.ts'
import { baseOf } from './base-url.ts'
import type { Description } from './description.ts'
import { type Above, belowParent, type Below } from './below-parent.ts'
import { cursorOf, cursorQuestion } from './keys.ts'
import { leftOutLines } from './left-out.ts'
import { type LeftOut, listsOf } from './lists.ts'
import { pipelineName, variablePrefix } from './names.ts'
import { nodeAt, textAt } from './node.ts'
import { pagingOf } from './paging/paging.ts'
import { Schemas } from './schema.ts'
import { type RecordSchema, SchemaTypes } from './schema-types.ts'
import type { Given } from './requests.ts'
import { type Choice, filledPath, select, type Selected } from './select.ts'

export interface DescriptionRead {
  readonly found: Found
  /** The operations that are no streams. */
  readonly leftOut: readonly LeftOut[]
}

/**
 * Reads all list operations of a description. It sends no request. Throws a UsageError if none of them can be read.
 *
 * @example
 * const { found, leftOut } = readOpenApi(await loadDescription('shop.yaml', { signal }), { given: new Map() })
 */
export function readOpenApi(description: Description, choice: Choice & { readonly name?: string }): DescriptionRead {
  const schemas = new Schemas(description)
  const { lists, leftOut } = listsOf(description, schemas)
  const context = { schemas, isSwagger: description.isSwagger }
  const { selected, leftOut: others } = select(lists, choice, context)
  if (selected.length === 0) throw noLists(description, [...leftOut, ...others])
  const { base, questions } = baseOf(description)
  const name = choice.name === undefined ? pipelineName(description, base) : streamName(choice.name)
  const prefix = variablePrefix(name)
  const operations = selected.map(({ list }) => list.operation)
  const { auth: given = [] } = choice
  const auth = given.length > 0 ? { auth: given, questions: [] } : authOf(description, operations, { base, prefix })
  const types = new SchemaTypes(schemas)
  const records = types.ofRecords(recordsOf(selected))
  const { streams, common } = askedOnce(streamsOf(selected, { schemas, records, given: choice.given }))
  const required = Object.assign({}, ...selected.map(({ request }) => request.headers)) as Record<string, string>
  const headers = { ...required, ...choice.headers }
  return {
    found: {
      name,
      base,
      baseVariable: `${prefix}_API`,
      auth: auth.auth,
      ...(Object.keys(headers).length > 0 && { headers }),
      about: aboutOf(description, [...leftOut, ...others], choice.only),
      types: types.types,
      streams,
      questions: [...[...questions, ...auth.questions].map(capitalized), ...common],
    },
    leftOut: [...leftOut, ...others],
  }
}

function noLists({ place }: Description, leftOut: readonly LeftOut[]): UsageError {
  const lines = leftOutLines(leftOut, MOST_NAMED).join('\n')
  return new UsageError(`${redactUrl(place)}: the description has no list that can be read. ${lines}`)
}

/** Operations of one reason that the file names; `--list` names all. */
const MOST_NAMED = 6

function aboutOf(
  { root, place }: Description,
  leftOut: readonly LeftOut[],
  only: readonly string[] | undefined,
): string[] {
  const info = nodeAt(root, 'info')
  const title = [textAt(info, 'title'), textAt(info, 'version')].filter((text) => text !== undefined).join(' ')
  // Neither the query of a URL, which may hold a key, nor the folders of a file.
  const from = redactUrl(place)
    .replace(/[?#].*$/, '')
    .replace(/^(?!https?:).*[\\/]/, '')
  return [
    `Written by sluice probe --openapi ${from}${title === '' ? '' : `: ${title}`}.`,
    ...(only ? [`Only these lists were chosen: ${only.join(', ')}.`] : leftOutLines(leftOut, MOST_NAMED)),
  ]
}

/** A question of so many lists is asked once, for all of them. */
const MANY_LISTS = 3
/** Lists that such a question names. */
const MOST_LISTS = 5

/** Takes the questions out of streams that are asked of many of them. */
function askedOnce(streams: readonly FoundStream[]): { streams: FoundStream[]; common: string[] } {
  const asked = new Map<string, string[]>()
  for (const { name, questions = [] } of streams)
    for (const question of questions) asked.set(question, [...(asked.get(question) ?? []), name])
  const common = [...asked].filter(([, lists]) => lists.length >= MANY_LISTS)
  return {
    streams: streams.map((stream) => ({
      ...stream,
      questions: (stream.questions ?? []).filter((one) => (asked.get(one)?.length ?? 0) < MANY_LISTS),
    })),
    common: common.map(([question, lists]) => {
      const more = lists.length > MOST_LISTS ? ' and others' : ''
      return `${question} (${lists.length} lists: ${lists.slice(0, MOST_LISTS).join(', ')}${more})`
    }),
  }
}

/** Each record has its key, and what the paths of its children need. */
function recordsOf(selected: readonly Selected[]): RecordSchema[] {
  return selected.map((one) => {
    const inPaths = selected.flatMap(({ parent }) => (parent?.of === one ? [parent.field] : []))
    const always = [...(one.key.field === undefined ? [] : [one.key.field]), ...inPaths]
    return { schema: one.list.record, always }
  })
}

interface Context {
  readonly schemas: Schemas
  readonly records: readonly TypeTree[]
  readonly given: Given
}

function streamsOf(selected: readonly Selected[], { schemas, records, given }: Context): FoundStream[] {
  const parents = new Set(selected.flatMap(({ parent }) => (parent ? [parent.of] : [])))
  const above = new Map<Selected, Above>()
  return selected.map((one, index) => {
    const { list, parent } = one
    const path = filledPath(list.operation.path, given)
    const outer = parent && above.get(parent.of)
    const below = parent && outer && belowParent({ ...parent, path, record: list.record }, outer, schemas)
    above.set(one, { name: list.name, path, pathFields: below?.pathFields ?? {} })
    const isAlone = !parent && !parents.has(one)
    return { ...streamOf(one, { schemas, isAlone, below }), path, record: records[index] ?? { kind: 'unknown' } }
  })
}

interface Place {
  readonly schemas: Schemas
  /** True if it is neither a parent nor a child: children of unchanged parents would not be read. */
  readonly isAlone: boolean
  readonly below: Below | undefined
}

function streamOf(one: Selected, { schemas, isAlone, below }: Place): Omit<FoundStream, 'path' | 'record'> {
  const { list, key, request } = one
  const { operation } = list
  const { paging, size, questions } = pagingOf(list, schemas)
  const cursor = isAlone ? cursorOf(list.record, operation, schemas) : undefined
  const query = {
    ...(size?.value !== undefined && { [size.parameter]: size.value }),
    ...request.query,
    ...(cursor && { [cursor.parameter]: { bound: 'since' as const, ...(cursor.as && { as: cursor.as }) } }),
  }
  return {
    name: list.name,
    ...(Object.keys(query).length > 0 && { query }),
    ...(below && { parent: below.parent }),
    records: list.records,
    paging,
    key: key.field === undefined ? [] : [...new Set([...Object.values(below?.pathFields ?? {}), key.field])],
    ...(cursor && { cursor: { at: cursor.field } }),
    notes: [...(operation.summary === undefined ? [] : [sentence(operation.summary)]), ...request.notes],
    questions: [
      ...questions,
      ...sizeQuestions(size),
      ...othersQuestion(list.records.at, list.others),
      ...key.questions,
      ...request.questions,
      ...parentQuestion(one),
      ...(cursor ? [] : cursorQuestion(list.record, operation, schemas)),
    ].map(capitalized),
  }
}

const parentQuestion = ({ parent }: Selected): string[] =>
  parent && !parent.isSure
    ? [`is '${parent.field}' of ${parent.of.list.name} the {${parent.parameter}} of the path?`]
    : []

const capitalized = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1)
const sentence = (text: string): string => (/[.!?…]$/.test(text) ? text : `${text}.`)

function sizeQuestions(size: ReturnType<typeof pagingOf>['size']): string[] {
  if (!size || size.isMaximum) return []
  const now = size.value === undefined ? 'The API decides now' : `It is ${size.value} now`
  return [`how large may a page be ('${size.parameter}')? ${now}; the description states no maximum.`]
}

const othersQuestion = (at: string, others: readonly string[]): string[] =>
  others.length === 0
    ? []
    : [
        `is '${at}' the list? The answer also has ${others
          .slice(0, 5)
          .map((one) => `'${one}'`)
          .join(', ')}.`,
      ]
