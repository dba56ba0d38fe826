import type { Secrets } from '../model/scope.ts'
import { readSecrets } from './secrets.ts'

/** Named like something that nobody else should read. */
const SECRET_NAME = /TOKEN|SECRET|PASSWORD|PASSWD|PWD$|CREDENTIAL|API_?KEY|PRIVATE|(?:^|_)KEY$|(?:^|_)AUTH(?:_|$)/i

/**
 * The environment's secrets, of which everything that is printed or answered is freed: what the user's own code puts
 * into an error is nothing that the engine has read, so here whatever is named like a secret counts as one, and the
 * database's password.
 */
export function knownSecrets(environment: Readonly<Record<string, string | undefined>>, database?: string): Secrets {
  const secrets = readSecrets(environment)
  for (const [name, value] of Object.entries(environment)) {
    // A working directory is no secret, whatever its name ends in.
    if (value !== undefined && value.length >= 8 && SECRET_NAME.test(name) && !/^(?:OLD)?PWD$/.test(name))
      secrets.register?.(name, value)
  }
  for (const [name, url] of [
    ['DATABASE_URL', environment['DATABASE_URL']],
    ['DATABASE_DIRECT_URL', environment['DATABASE_DIRECT_URL']],
    ['DATABASE_URL', database],
  ] as const) {
    const password = passwordOf(url)
    if (password !== undefined) secrets.register?.(`${name}'s password`, password)
  }
  return secrets
}

/**
 * Of a URL. A password that is the user's or the database's name, as in many a test set-up, guards nothing, and hiding
 * it would spoil messages.
 */
function passwordOf(url: string | undefined): string | undefined {
  try {
    const { username, password, pathname } = new URL(url ?? '')
    return password === '' || password === username || pathname === `/${password}`
      ? undefined
      : decodeURIComponent(password)
  } catch {
    return undefined
  }
}
