import type { Grant } from '../../model/grant.ts'
import { shorten } from '../../value/text.ts'
import { advice, note, type Remark } from './finding.ts'

/** Credentials that nobody renews are worth a word this long before they end. */
const SOON_MS = 14 * 86_400_000

/** Says what the credentials may do and when they end. `names`: the secrets to replace. */
export function checkCredentials({ scope, endsAt, isRenewed }: Grant, names: readonly string[], now: Date): Remark[] {
  const parts = [
    scope !== undefined &&
      (scope.trim() === '' ? 'without a scope' : `scope ${shorten(scope.replace(/\s+/g, ' ').trim())}`),
    endsAt && `valid until ${timeText(endsAt)}`,
    isRenewed && 'renewed in time',
  ]
  const said = note(`the credentials: ${parts.filter(Boolean).join(', ')}`)
  if (!endsAt || isRenewed || endsAt.getTime() - now.getTime() > SOON_MS) return [said]
  return [said, advice(`the credentials end at ${timeText(endsAt)}: replace ${names.join(' and ')} before`)]
}

const timeText = (time: Date): string => `${time.toISOString().slice(0, 19)}Z`
