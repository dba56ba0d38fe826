import type { Flow } from '../define/flow.ts'
import type { Pipeline } from '../define/pipeline.ts'
import { secretsIn } from '../define/secrets-in.ts'
import { UsageError } from '../model/errors.ts'
import type { Secrets } from '../model/scope.ts'

/** The streams that were asked for, in the pipeline's order; none: all. */
export function chosenStreams({ name, streams }: Pipeline, asked: readonly string[] | undefined): string[] {
  const names = Object.keys(streams)
  const unknown = asked?.filter((stream) => !names.includes(stream)) ?? []
  if (unknown.length > 0)
    throw new UsageError(
      `${name} has no stream ${unknown.map((stream) => `'${stream}'`).join(', ')}: it has ${names.join(', ')}`,
    )
  return asked && asked.length > 0 ? names.filter((stream) => asked.includes(stream)) : names
}

/** A secret that is missing is known before anything is asked. */
export function requireSecrets({ recipe }: Flow<unknown>, secrets: Secrets, place: string): void {
  for (const name of secretsIn(recipe)) {
    try {
      secrets.value(name)
    } catch (cause) {
      throw new UsageError(`${place}: ${(cause as Error).message}`, { cause })
    }
  }
}
