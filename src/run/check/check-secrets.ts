// Which secrets are missing, and which streams does each stop?
import { requiredSecretsIn } from '../../define/secrets-in.ts'
import type { Recipe } from '../../model/recipe.ts'
import type { Secrets } from '../../model/scope.ts'
import { requireSecret } from '../chosen-streams.ts'
import { faultOf, type Finding } from './finding.ts'

export interface NeedsSecrets {
  /** `pipeline.stream`. */
  readonly location: string
  readonly recipe: Recipe
}

export interface MissingSecrets {
  /** One for each secret, with all streams that it stops. */
  readonly findings: readonly Finding[]
  /** The streams that cannot be read, by `pipeline.stream`. */
  readonly stopped: ReadonlySet<string>
}

/** Returns the secrets that streams need and that are not set. */
export function missingSecrets(streams: readonly NeedsSecrets[], secrets: Secrets): MissingSecrets {
  const problems = new Map<string, { readonly text: string; readonly locations: string[] }>()
  const stopped = new Set<string>()
  for (const { location, recipe } of streams)
    for (const name of requiredSecretsIn(recipe)) {
      const text = problemOf(name, secrets)
      if (text === undefined) continue
      stopped.add(location)
      const known = problems.get(name)
      if (known) known.locations.push(location)
      else problems.set(name, { text, locations: [location] })
    }
  const findings = [...problems.values()].map(({ text, locations }) => ({
    location: locations.join(', '),
    isFault: true,
    text,
  }))
  return { findings, stopped }
}

function problemOf(name: string, secrets: Secrets): string | undefined {
  try {
    requireSecret(name, secrets)
    return undefined
  } catch (error) {
    return faultOf('', { secrets }, error).text
  }
}
