import { isObject } from '../find-records.ts'
import { provenBy, type Probing, type Style } from './probing.ts'

/** Responses for the same records that are followed at most: MediaWiki sends their properties in parts. */
const MAX_STEPS = 2

/** An object whose members all go into the next request, as MediaWiki's `continue: { apcontinue, continue }`. */
export const byContinue: Style = (probing) => {
  const members = membersIn(probing.first.answer.body)
  if (members === undefined) return []
  return [{ name: "the object 'continue'", rank: 1.8, prove: () => prove(probing, members) }]
}

async function prove(probing: Probing, first: Members): ReturnType<ReturnType<Style>[number]['prove']> {
  let members: Members | undefined = first
  for (let step = 0; step < MAX_STEPS && members !== undefined && probing.left > 0; step += 1) {
    const { page, relation } = await probing.ask(members)
    if (relation.type === 'other')
      return {
        paging: { type: 'continue', at: 'continue' },
        page,
        proof: provenBy("the page that all members of 'continue' lead to", page),
      }
    if (relation.type !== 'from') return undefined
    members = membersIn(page.answer.body)
  }
  return undefined
}

type Members = Readonly<Record<string, string | number>>

/** Beside a token for each list, a member of the name `continue` says which of them have come to their end. */
function membersIn(body: unknown): Members | undefined {
  const found = isObject(body) ? body['continue'] : undefined
  if (!isObject(found) || typeof found['continue'] !== 'string') return undefined
  const members = Object.entries(found)
  return members.every(([, value]) => typeof value === 'string' || typeof value === 'number')
    ? (Object.fromEntries(members) as Members)
    : undefined
}
