// Lists that go on behind a place: a cursor of the API's own, or the last record.
import type { Schema } from '../schema.ts'
import { isAfterRecord, isCursor, isNextCursor, isNextHeader, isPage, plainName } from './names.ts'
import { clear, type PagingStated } from './paging-found.ts'
import type { Search } from './search.ts'

/** A member of the answer, or a header, that is sent as a parameter: `next_cursor` as `cursor`. */
export function byCursor({ parameters, members, headers, ends }: Search): PagingStated | undefined {
  const own = parameters.filter(({ parameter, schema }) => isCursor(parameter.name) && !isNumberOnly(schema))
  const cursors = members.filter(({ name, schema, at }) => isNextCursor(name) && isValue(schema) && !isBackward(at))
  const pairs = own.flatMap(({ parameter }) =>
    cursors.map(({ at, name }) => ({ parameter: parameter.name, at, rank: rankOf(parameter.name, name, at) })),
  )
  const [best] = pairs.toSorted((one, other) => one.rank - other.rank)
  if (best) {
    const equals = new Set(pairs.filter(({ rank }) => rank === best.rank).map(({ at }) => at))
    const question =
      `is '${best.at}' of the answer sent as '${best.parameter}' to get the next page? ` +
      'The description does not connect them.'
    return {
      paging: { type: 'cursor', parameter: best.parameter, at: best.at, ...ends },
      questions: best.rank > 1 || equals.size > 1 ? [question] : [],
    }
  }
  const header = headers.find(isNextHeader)
  const parameter = own[0] ?? parameters.find((one) => isPage(one.parameter.name))
  if (header === undefined || !parameter) return undefined
  return clear({ type: 'header', parameter: parameter.parameter.name, header })
}

const isNumberOnly = ({ kinds }: Schema): boolean =>
  kinds.length > 0 && kinds.every((kind) => kind === 'integer' || kind === 'number' || kind === 'boolean')
const isValue = ({ kinds }: Schema): boolean =>
  kinds.length === 0 || kinds.some((kind) => kind === 'string' || kind === 'integer' || kind === 'number')
const isBackward = (at: string): boolean => /prev|before|first|last(?!ev)|self|current/i.test(at)

const bare = (name: string): string => name.replace(/^next/, '').replace(/^page(?=.)/, '')

/** The lower, the surer: 0 for `next_cursor` and `cursor`, 1 where one name contains the other, 2 for other pairs. */
function rankOf(parameterName: string, memberName: string, at: string): number {
  const [parameter, member] = [plainName(parameterName), plainName(memberName)]
  if (bare(parameter) === bare(member) || parameter === member) return 0
  // `paging.cursors.after` and `after`
  if (bare(member) !== '' && (plainName(at).includes(parameter) || parameter.includes(bare(member)))) return 1
  const names = /cursor|token|continu|scroll/
  return names.test(parameter) && (names.test(member) || member.startsWith('next')) ? 1 : 2
}

/** The id of the last record: `starting_after`. */
export function byLastRecord({ parameters, list: { records, record }, ends }: Search): PagingStated | undefined {
  const after = parameters.find(({ parameter }) => isAfterRecord(parameter.name))?.parameter.name
  const field = ['id', 'uuid', '_id'].find((name) => record.properties.has(name))
  if (after === undefined || field === undefined || records.shape !== 'list') return undefined
  // `since_id` alone may be a filter: what says that more follows makes it a way on.
  if (ends.more === undefined && !/^(startingafter|startafter|afterid)$/.test(plainName(after))) return undefined
  const at = records.at === '' ? field : `${records.at}.${field}`
  return clear({ type: 'last record', parameter: after, at, ...ends })
}
