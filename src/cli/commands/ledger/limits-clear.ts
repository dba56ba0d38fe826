import { clearWait } from '../../../ledger/clear-wait.ts'
import { readWaits, type StoredWait } from '../../../ledger/read/read-waits.ts'
import { UsageError } from '../../../model/errors.ts'
import { openStore } from '../../../run/open-store.ts'
import { placeText } from '../../../run/status/waits.ts'
import type { CommandContext, CommonOptions } from '../../execute-command.ts'
import { formatTime } from '../../output/format-time.ts'

/** `sluice limits clear`: lifts waits, for all processes. */
export async function limitsClearCommand(
  [place]: [string | undefined],
  { database }: CommonOptions,
  { signal, hide }: CommandContext,
): Promise<number> {
  await using store = await openStore({ database, signal })
  const waits = await readWaits(store.database)
  const chosen = place === undefined ? waits : waits.filter(isIn(place))
  if (place !== undefined && chosen.length === 0)
    throw new UsageError(
      `${place}: no request waits there. ` +
        (waits.length === 0 ? 'No API has asked to wait' : 'The waits are listed by: sluice limits'),
    )
  for (const wait of chosen) await clearWait(store.database, wait)
  for (const { api, path, endpoint, until } of chosen)
    console.log(hide(`${placeText({ api, path: path ?? endpoint })}: the wait until ${formatTime(until)} was lifted`))
  if (chosen.length === 0) console.log('No API has asked to wait.')
  return 0
}

/**
 * Returns a test for the waits of an API, or of a path and all paths below it. With a method in front, as in
 * `GET /users`, only waits of endpoints with limits of their own are meant.
 */
function isIn(text: string): (wait: StoredWait) => boolean {
  const [, method, place = text] = /^([A-Z]+) +(.+)$/.exec(text) ?? []
  const url = /^https?:\/\//i.test(place) ? URL.parse(place) : undefined
  const below = (url ? decodeURI(url.pathname) : place).replace(/\/+$/, '')
  return ({ api, path, endpoint }) => {
    if (method !== undefined && !(path === null && endpoint?.startsWith(`${method} `))) return false
    if (url && url.origin !== api && !path?.startsWith(`${url.origin}/`)) return false
    if (below === '') return url !== undefined
    const ownPath = (path ?? endpoint?.replace(/^[A-Z]+ /, ''))?.replace(/^https?:\/\/[^/]+/, '')
    return ownPath === below || (ownPath?.startsWith(`${below}/`) ?? false)
  }
}
