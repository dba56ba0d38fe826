import type { Secrets } from '../../model/scope.ts'
import { isSecret } from '../../model/secrets-of.ts'
import type { LoginValue } from '../../model/session.ts'

/** Returns JSON with the values of its secrets. */
export function revealed(value: LoginValue | undefined, secrets: Pick<Secrets, 'value'>): unknown {
  if (isSecret(value)) return secrets.value(value.secret)
  if (Array.isArray(value)) return value.map((one: LoginValue) => revealed(one, secrets))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name, revealed(member as LoginValue, secrets)]),
  )
}
