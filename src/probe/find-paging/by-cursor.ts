import type { Parameter } from '../../model/request.ts'
import { defined } from '../../value/defined.ts'
import type { Place } from '../found.ts'
import type { ProbedPage } from './page.ts'
import { isUrl } from './paging-fields.ts'
import { totalPlace } from './total-place.ts'
import { provenBy, type Candidate, type Probing, type Style } from './probing.ts'

/** Parameters that are tried for one cursor at most. */
const MAX_PARAMETERS = 3

/** A cursor for the next page in the body, or in a header. */
export const byCursor: Style = (probing) => [
  ...probing.fields.cursors.map(({ path, value }, index) =>
    candidate(probing, path, String(value), rankOf(probing, value) + index / 100),
  ),
  ...cursorHeaders(probing).map(([header, value]) => candidate(probing, { header }, value, 3)),
]

/** Beside a number of pages, `next: 2` is a page number. */
const rankOf = ({ fields }: Probing, value: unknown): number =>
  /^\d{1,4}$/.test(String(value)) && (fields.pages ?? fields.page) !== undefined ? 6 : 2

function candidate(probing: Probing, at: Place, value: string, rank: number): Candidate {
  const name = nameOf(at)
  const isPage = /^\d{1,6}$/.test(value) && /page$/i.test(name)
  return {
    name: typeof at === 'string' ? `the cursor at '${at}'` : `the header '${at.header}'`,
    rank,
    prove: async () => {
      const names: Parameter[] = parametersOf(name, isPage, probing.options.given)
      // A cursor from a header may go back in one, too.
      const back = { header: name.replace(/next[_-]?/i, '') }
      const parameters = typeof at === 'string' || isPage ? names : [...names.slice(0, 1), back, ...names.slice(1)]
      for (const parameter of parameters.slice(0, MAX_PARAMETERS)) {
        if (probing.left === 0) return undefined
        const { page, relation } =
          typeof parameter === 'string'
            ? await probing.ask({ [parameter]: value })
            : await probing.ask({}, { [parameter.header]: value })
        // A parameter that is ignored gives the first page again.
        if (relation.type !== 'other' || stands(probing, at, page, value)) continue
        const paging = {
          type: 'cursor',
          parameter,
          at,
          ...defined({ total: totalPlace(probing, page), more: probing.fields.more?.path }),
        } as const
        return { paging, page, proof: provenBy(`${nameOf(parameter)}=${shortened(value)}`, page) }
      }
      return undefined
    },
  }
}

const nameOf = (at: Place): string => (typeof at === 'string' ? (at.split('.').at(-1) ?? at) : at.header)

const shortened = (value: string): string => (value.length > 24 ? `${value.slice(0, 20)}…` : value)

/** True if the next page leads to the same page again: the cursor would never end. */
function stands(probing: Probing, at: Place, page: ProbedPage, value: string): boolean {
  if (typeof at === 'object') return page.answer.headers[at.header] === value
  return probing.fieldsOf(page).cursors.some(({ path, value: next }) => path === at && String(next) === value)
}

/**
 * Returns the parameters that a cursor of this name may be sent as: those that the user has given, its name without
 * `next`, its own name, and usual ones.
 */
function parametersOf(name: string, isPage: boolean, given: Readonly<Record<string, string>>): string[] {
  const bare = name.replace(/^x[_-]/i, '')
  const rest = bare.replace(/next[_-]?/i, '')
  const own = rest === '' ? [] : [rest.slice(0, 1).toLowerCase() + rest.slice(1)]
  const ofUser = Object.keys(given).filter(isCursorName)
  if (isPage) return [...new Set([...ofUser, 'page', ...own])]
  // Parameters have underscores where headers have dashes.
  const underscored = rest === '' ? [] : [...own, bare].map((one) => one.replaceAll('-', '_'))
  return [...new Set([...ofUser, ...own, ...underscored, 'cursor', 'page_token', 'after', 'starting_after'])]
}

const isCursorName = (name: string): boolean =>
  /cursor|token|after|page|marker|offset|start/i.test(name) && !/size|per|limit/i.test(name)

/** Headers such as `x-next-cursor`, `x-next-page` and `x-ms-continuation`. */
function cursorHeaders({ first }: Probing): [string, string][] {
  return Object.entries(first.answer.headers).flatMap(([name, value]): [string, string][] =>
    value !== undefined &&
    value !== '' &&
    !isUrl(value) &&
    /next[_-]?(page|cursor|token|offset)|continuation|^(x-)?cursor$/i.test(name)
      ? [[name, value]]
      : [],
  )
}
