import type { Pipeline } from '../define/pipeline.ts'
import { requiredSecretsIn } from '../define/secrets-in.ts'
import { UsageError } from '../model/errors.ts'
import type { Secrets } from '../model/scope.ts'
import { SECRET_KEY } from '../model/secrets-of.ts'
import { readSecretKey } from '../observe/secret-key.ts'
import { messageOf } from '../value/error.ts'
import { noStreamText } from './no-stream-text.ts'

/** Returns the requested streams in the pipeline's order, or all of them if none was requested. */
export function chosenStreams({ name, streams }: Pipeline, requested: readonly string[] | undefined): string[] {
  // In JavaScript, a pipeline of several accounts may be passed where one account is expected.
  if (typeof streams === 'function')
    throw new UsageError(`${name} has several accounts. Run it by run(), or by sluice run ${name}`)
  const names = Object.keys(streams)
  const unknown = requested?.filter((stream) => !names.includes(stream)) ?? []
  if (unknown.length > 0) throw new UsageError(noStreamText(name, unknown, names), { explanation: 'NO_PIPELINE' })
  return requested && requested.length > 0 ? names.filter((stream) => requested.includes(stream)) : names
}

/** Throws if a secret of these streams is missing, before anything is requested. */
export function requireSecrets({ name, streams }: Pipeline, chosen: readonly string[], secrets: Secrets): void {
  for (const stream of chosen) {
    const flow = streams[stream]
    for (const secret of flow ? requiredSecretsIn(flow.recipe) : [])
      inStream(`${name}.${stream}`, () => requireSecret(secret, secrets))
  }
}

/** Throws `UsageError` if a secret is missing, or if the key of stored tokens is not one. */
export function requireSecret(name: string, secrets: Secrets): void {
  if (name === SECRET_KEY) readSecretKey(secrets)
  else secrets.value(name)
}

function inStream(streamName: string, check: () => void): void {
  try {
    check()
  } catch (cause) {
    throw new UsageError(`${streamName}: ${messageOf(cause)}`, { cause })
  }
}
