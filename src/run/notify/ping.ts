import { request } from 'undici'
import { UsageError } from '../../model/errors.ts'
import type { Secrets } from '../../model/scope.ts'

/** The variable with the address of a dead man's switch. */
export const PING_VARIABLE = 'SLUICE_PING_URL'

const PING_MS = 10_000

/**
 * Tells a dead man's switch, such as healthchecks.io, that a scheduler runs and reaches its database. If it hears
 * nothing any more, it raises the alarm. Does nothing without an address.
 */
export async function ping(
  environment: Readonly<Record<string, string | undefined>>,
  { secrets, signal }: { readonly secrets: Secrets; readonly signal: AbortSignal },
): Promise<void> {
  if (!environment[PING_VARIABLE] && !environment[`${PING_VARIABLE}_FILE`]) return
  const url = secrets.value(PING_VARIABLE)
  if (!/^https?:\/\//.test(url) || !URL.canParse(url)) throw new UsageError(`${PING_VARIABLE} is not a URL`)
  const { statusCode, body } = await request(url, { signal: AbortSignal.any([signal, AbortSignal.timeout(PING_MS)]) })
  await body.dump()
  if (statusCode >= 400) throw new Error(`${PING_VARIABLE}: the address answered ${statusCode}`)
}
