import type { Secrets } from '../../model/scope.ts'
import { callUrl } from '../../notify/call-url.ts'
import { messageOf } from '../../value/error.ts'

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
  if (!secrets.isSet?.(PING_VARIABLE)) return
  const url = secrets.value(PING_VARIABLE)
  const limited = AbortSignal.any([signal, AbortSignal.timeout(PING_MS)])
  try {
    await callUrl(url, { environment, signal: limited })
  } catch (cause) {
    signal.throwIfAborted()
    throw new Error(`${PING_VARIABLE} could not be called: ${messageOf(cause)}`, { cause })
  }
}
