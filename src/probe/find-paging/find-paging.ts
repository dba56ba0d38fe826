// How pages follow each other: candidates by what the first response shows, the first one that a request proves.
import type { FoundPaging } from '../found.ts'
import { byCursor } from './by-cursor.ts'
import { byLastRecord } from './by-last-record.ts'
import { byLinkHeader } from './by-link-header.ts'
import { byNextUrl } from './by-next-url.ts'
import { byOffset } from './by-offset.ts'
import { byPage } from './by-page.ts'
import type { Candidate, Probing, Proven, Style } from './probing.ts'
import { smallerPage } from './smaller-page.ts'
import { tryUsualNames } from './usual-names.ts'

const STYLES: readonly Style[] = [byLinkHeader, byNextUrl, byCursor, byOffset, byPage, byLastRecord]

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
  const stated = STYLES.flatMap((style) => style(probing)).toSorted((one, other) => one.rank - other.rank)
  const tried: string[] = []
  const byStyle = await firstProven(
    probing,
    stated.filter(({ rank }) => rank < BY_NAME),
    tried,
  )
  if (byStyle) return resultOf(byStyle, probing)
  const byName = saysThatAllCame(probing) ? undefined : await tryUsualNames(probing, tried)
  if (byName) return resultOf(byName.proven, byName.probing)
  return unproven(first, tried)
}

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
  if (fields.urls.length > 0 || fields.cursors.length > 0 || first.answer.headers['link']?.includes('next'))
    return false
  const isLast = fields.more?.value === false || fields.done?.value === true || fields.ends.length > 0
  const totals = [fields.total?.value, first.answer.headers['x-total-count'], first.answer.headers['x-wp-total']]
  const total = totals.map(Number).find((value) => Number.isSafeInteger(value))
  return isLast || Number(fields.pages?.value) === 1 || (total !== undefined && total <= count)
}

/** Numbers of records that are a page rather than a whole list. */
const isPageSize = (count: number): boolean => [5, 10, 12, 15, 16, 20, 24, 25, 30].includes(count) || count % 50 === 0

function unproven(probing: Probing, tried: readonly string[]): PagingResult {
  const { count } = probing
  const records = count === 1 ? '1 record' : `${count} records`
  if (saysThatAllCame(probing))
    return {
      probing,
      paging: { type: 'one page' },
      text: `one page: the response says that its ${records} are all`,
      questions: [
        `The API says that its ${records} are all, so no second page could be tried. If the list can grow beyond one ` +
          'page, name its paginator: a run says "not proven complete" when the response announces more.',
      ],
    }
  const names = [...new Set(tried)].join(', ')
  const isWhole = !isPageSize(count) && !saysMore(probing)
  return {
    probing,
    paging: isWhole ? { type: 'one page' } : { type: 'one page', atMost: count },
    text: isWhole
      ? `one page: nothing leads on from its ${records}, and usual parameters change nothing`
      : `not recognised: ${records} came, and there may be more`,
    questions: [
      isWhole
        ? `Are these ${records} the whole list? Nothing leads on from them, and these were tried: ${names}.`
        : `How are further pages asked for? Tried: ${names}. Until the paginator is named, a run reads the first ` +
          `page only, and says with ${records} or more that it is not proven complete.`,
    ],
  }
}

/** True if the response announces more than it has. */
const saysMore = ({ fields, count, first }: Probing): boolean =>
  fields.urls.length > 0 ||
  fields.cursors.length > 0 ||
  fields.more?.value === true ||
  fields.done?.value === false ||
  Number(fields.total?.value) > count ||
  Number(fields.pages?.value) > 1 ||
  first.answer.headers['link'] !== undefined
