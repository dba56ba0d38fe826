import { hostname, userInfo } from 'node:os'
import type { Author } from '../ledger/changes.ts'
import { defined } from '../value/defined.ts'

/** Returns who this process works for, as `user@host`, and why something is changed. */
export const author = (why?: string): Author => ({ who: `${userName()}@${hostname()}`, ...defined({ why }) })

/** In a container the user may have no name. */
function userName(): string {
  try {
    return userInfo().username
  } catch {
    return process.env['USER'] ?? `uid ${process.getuid?.() ?? 'unknown'}`
  }
}
