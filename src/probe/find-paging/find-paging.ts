// How pages follow each other: candidates by what the first response shows, the first one that a request proves.
import { hintsIn } from '../../source/paging/hints.ts'
import { recordsInHeaders } from '../../source/paging/stated-totals.ts'
import type { FoundPaging } from '../found.ts'
import { byContinue } from './by-continue.ts'
import { byCursor } from './by-cursor.ts'
import { byLastRecord } from './by-last-record.ts'
import { byLinkHeader } from './by-link-header.ts'
import { byNextUrl, nextUrlHeaders } from './by-next-url.ts'
import { byOffset } from './by-offset.ts'
import { byPage } from './by-page.ts'
import type { Candidate, Probing, Proven, Style } from './probing.ts'
import { smallerPage } from './smaller-page.ts'
import { tryUsualNames } from './usual-names.ts'

const STYLES: readonly Style[] = [byLinkHeader, byNextUrl, byContinue, byCursor, byOffset, byPage, byLastRecord]

/** From this rank on, only the usual names of parameters suggest a candidate. */
const BY_NAME = 20

export interface PagingResult {
  readonly proven?: Proven
  /** The first page that the proof was made with. It may be smaller than the first one of all. */
  readonly probing: Probing
  /** How the list is read if nothing is proven. */
  readonly paging: FoundPaging
  readonly questions: readonly string[]
  /** One sentence. */
  readonly text: string
}

/** Finds the paging of a list. Without a proof, a run that reads one page does not call it everything. */
export async function findPaging(first: Probing): Promise<PagingResult> {
  const { options } = first
  if (options.records.shape === 'object')
    return { probing: first, paging: { type: 'one page' }, questions: [], text: 'one object, so there are no pages' }
  // The whole list came on one page: smaller pages show how they follow each other.
  const probing = saysThatAllCame(first) ? ((await smallerPage(first)) ?? first) : first
  const tried: string[] = []
  const proveStated = (one: Probing): Promise<Proven | undefined> => firstProven(one, candidatesOf(one), tried)
  const byStyle = await proveStated(probing)
  if (byStyle) return resultOf(byStyle, probing)
  const byName = saysThatAllCame(probing) ? undefined : await tryUsualNames(probing, tried, proveStated)
  if (byName) return resultOf(byName.proven, byName.probing)
  return unproven(first, tried)
}

/** Returns what the response suggests, the surest first. */
const candidatesOf = (probing: Probing): Candidate[] =>
  STYLES.flatMap((style) => style(probing))
    .filter(({ rank }) => rank < BY_NAME)
    .toSorted((one, other) => one.rank - other.rank)

const resultOf = (proven: Proven, probing: Probing): PagingResult => ({
  proven,
  probing,
  paging: proven.paging,
  questions: [],
  text: proven.proof,
})

async function firstProven(
  probing: Probing,
  candidates: readonly Candidate[],
  tried: string[],
): Promise<Proven | undefined> {
  for (const { name, prove } of candidates) {
    if (probing.left === 0) return undefined
    tried.push(name)
    const proven = await prove()
    if (proven) return proven
  }
  return undefined
}

/** True if the first response says that nothing follows it. */
export function saysThatAllCame({ fields, count, first }: Probing): boolean {
  if (fields.urls.length > 0 || fields.cursors.length > 0 || leadsOnByHeader(first)) return false
  const isLast = fields.more?.value === false || fields.done?.value === true || fields.ends.length > 0
  const totals = [fields.total?.value, first.answer.headers['x-total-count'], first.answer.headers['x-wp-total']]
  const total = totals.map(Number).find((value) => Number.isSafeInteger(value))
  return isLast || Number(fields.pages?.value) === 1 || (total !== undefined && total <= count)
}

/** Returns how a list is read whose paging is not proven: so that a run says it when the list is longer. */
function unproven(probing: Probing, tried: readonly string[]): PagingResult {
  const { count } = probing
  const records = count === 1 ? '1 record' : `${count} records`
  const names = [...new Set(tried)].join(', ')
  const atMost = { type: 'one page', atMost: count } as const
  const result = { probing, paging: atMost } as const
  if (saysThatAllCame(probing)) {
    const paging = isNoticed(probing) ? ({ type: 'one page' } as const) : atMost
    return {
      probing,
      paging,
      text: `one page: the response says that its ${records} are all`,
      questions: [
        `The API says that its ${records} are all, so no second page could be tried. If the list can grow beyond one ` +
          'page, name its paginator: a run says "not proven complete" when ' +
          ('atMost' in paging ? `${count} records or more come.` : 'the response announces more.'),
      ],
    }
  }
  if (saysMore(probing))
    return {
      ...result,
      text: `not recognised: ${records} came, and the response announces more`,
      questions: [
        `How are further pages asked for? Tried: ${names}. Until the paginator is named, a run reads the first page ` +
          `only, and says with ${records} or more that it is not proven complete.`,
      ],
    }
  return {
    ...result,
    text: `one page: nothing leads on from its ${records}, and usual parameters change nothing`,
    questions: [
      `Are these ${records} the whole list? Nothing leads on from them, and these were tried: ${names}. If they are, ` +
        'write onePage() without atMost: with it, a run of as many records says that it is not proven complete. If ' +
        'not, name the paginator.',
    ],
  }
}

/** True if a reading of one page notices by itself that this response states more. */
function isNoticed({ first, count }: Probing): boolean {
  const { body, headers } = first.answer
  const { names, saysNoMore } = hintsIn({ body, headers, records: first.records }, { records: count - 1, pages: 1 })
  return names.length > 0 || saysNoMore || recordsInHeaders(headers) !== undefined
}

/** True if the response announces more than it has. */
const saysMore = ({ fields, count, first }: Probing): boolean =>
  fields.urls.length > 0 ||
  fields.cursors.length > 0 ||
  fields.more?.value === true ||
  fields.done?.value === false ||
  Number(fields.total?.value) > count ||
  Number(fields.pages?.value) > 1 ||
  leadsOnByHeader(first)

const leadsOnByHeader = ({ answer }: Probing['first']): boolean =>
  answer.headers['link']?.includes('next') === true || nextUrlHeaders(answer).length > 0
