// Does the request ask for what is new, where nothing says what that is?
import { isBound, isBoundText } from '../../model/bounds-in.ts'
import type { HttpSource, Recipe, Table } from '../../model/recipe.ts'
import { parseInstant } from '../../value/instant.ts'
import { advice, type Remark } from './finding.ts'

/** Names of parameters that leave out what is older, such as `updated_after` or `created[gte]`. */
const BEGIN_NAMES = /since|after|from|start|begin|gte?\b|min|modified|updated|changed/i

/** Recommends a cursor where a request has `since`, or a fixed date as its beginning, and no run will ever move it. */
export function checkSince(source: HttpSource, { incremental, stages }: Recipe, { write }: Table): Remark[] {
  const { request, paging, delta } = source
  // The cursor may be that of a child list, the paginator's own, or a token.
  const isOther = stages.some(({ type }) => type === 'flatMap') || delta !== undefined
  if (incremental || isOther || (typeof paging === 'object' && paging.type === 'since')) return []
  const parts = [request.query, request.json, request.form, request.headers]
  const since = parts.flatMap((part) => placesIn(part, hasSince))
  const [first] = since
  if (first !== undefined)
    return [
      advice(
        `the request has \`since\` in ${since.map(({ name }) => name).join(', ')}, but the stream has no cursor: ` +
          `a run leaves ${first.name} out and reads everything each time. To read only what is new, name the field ` +
          "of the last change after .records(), as in .incremental('updated_at'). Leave it as it is if only " +
          'backfills use it',
      ),
    ]
  const fixed = write === 'replace' ? [] : placesIn(request.query, (value) => isDate(value))
  const begin = fixed.find(({ name }) => BEGIN_NAMES.test(name))
  if (!begin) return []
  const date = JSON.stringify(begin.value)
  return [
    advice(
      `${begin.name} is always ${date}, and the stream has no cursor: each run reads everything from then on again. ` +
        `To read only what is new, write ${memberText(begin.name)}: since, and after .records() ` +
        `.incremental('updated_at', { startFrom: ${date} }), with the field of the last change`,
    ),
  ]
}

const memberText = (name: string): string => (/^[A-Za-z_]\w*$/.test(name) ? name : `'${name}'`)

interface Place {
  readonly name: string
  readonly value: unknown
}

/** Returns the members that hold such a value, at any depth. What a function returns is not known before a run. */
function placesIn(part: unknown, isWanted: (value: unknown) => boolean, name = ''): Place[] {
  if (name !== '' && isWanted(part)) return [{ name, value: part }]
  if (typeof part !== 'object' || part === null || isBound(part) || isBoundText(part)) return []
  return Object.entries(part).flatMap(([member, value]) =>
    placesIn(value, isWanted, name === '' || Array.isArray(part) ? name || member : `${name}.${member}`),
  )
}

const hasSince = (value: unknown): boolean =>
  (isBound(value) && value.bound === 'since') || (isBoundText(value) && value.values.some(hasSince))

const isDate = (value: unknown): boolean => typeof value === 'string' && parseInstant(value) !== undefined
