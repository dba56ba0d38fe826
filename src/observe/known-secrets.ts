import type { Secrets } from '../model/scope.ts'
import { readSecrets } from './secrets.ts'

/** Matches the name of a variable that holds a secret. */
const SECRET_NAME = /TOKEN|SECRET|PASSWORD|PASSWD|PWD$|CREDENTIAL|API_?KEY|PRIVATE|(?:^|_)KEY$|(?:^|_)AUTH(?:_|$)/i

/** True for the name of a variable that holds a secret. PWD and OLDPWD are directories, not passwords. */
export const isSecretName = (name: string): boolean => SECRET_NAME.test(name) && !/^(?:OLD)?PWD$/.test(name)

/**
 * Returns the secrets of the environment, to hide them in all output: each variable that is named like a secret, and
 * the password of the database. The user's code may put a secret into an error that no recipe has read.
 */
export function knownSecrets(environment: Readonly<Record<string, string | undefined>>, database?: string): Secrets {
  const secrets = readSecrets(environment)
  registerSecrets(secrets, environment)
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

/** Registers each variable that is named like a secret. */
export function registerSecrets(secrets: Secrets, environment: Readonly<Record<string, string | undefined>>): void {
  for (const [name, value] of Object.entries(environment)) {
    if (value !== undefined && value.length >= 8 && isSecretName(name)) secrets.register?.(name, value)
  }
}

/**
 * Returns the password of a URL. One that equals the user or the database, as in test set-ups, is not a secret, and
 * hiding it would make messages unreadable.
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
