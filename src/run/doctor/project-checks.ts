// Checks that need no database.
import { secretsOf } from '../../model/secrets-of.ts'
import { messageOf } from '../../value/error.ts'
import { formatCount } from '../../value/format.ts'
import { missingSecrets } from '../check/check-secrets.ts'
import { audienceOf } from '../notify/notify-targets.ts'
import { retentionOf } from '../retention.ts'
import { note, problem, saidOr, type DoctorCheck, type ProjectContext, type Said } from './doctor-finding.ts'

export const PROJECT_CHECKS: readonly DoctorCheck<ProjectContext>[] = [
  { name: 'secrets', look: async (context) => lookAtSecrets(context) },
  { name: 'settings', look: async (context) => lookAtSettings(context) },
]

/** Each secret that a pipeline needs and that is not set, with all streams that it stops. */
function lookAtSecrets({ found, secrets }: ProjectContext): readonly Said[] {
  const streams = found.flatMap(({ pipeline }) =>
    Object.entries(pipeline.streams).map(([stream, { recipe }]) => ({
      location: `${pipeline.name}.${stream}`,
      recipe,
    })),
  )
  const { findings } = missingSecrets(streams, secrets)
  return saidOr(
    `all that ${formatCount(found.length, 'pipeline')} ${found.length === 1 ? 'needs' : 'need'} are set`,
    findings.map(({ location, text }) => problem(`${location}: ${text}`)),
  )
}

/** The variables of Sluice itself: how long the ledger keeps things, and who is told of problems. */
function lookAtSettings({ found, environment, secrets }: ProjectContext): readonly Said[] {
  const said: Said[] = []
  const read = (look: () => readonly Said[]): void => {
    try {
      said.push(...look())
    } catch (error) {
      said.push(problem(messageOf(error)))
    }
  }
  read(() => {
    retentionOf(environment)
    return []
  })
  read(() => {
    const audience = audienceOf(
      found.map(({ pipeline }) => pipeline),
      environment,
    )
    if (!audience && found.length > 0) return [note('nobody is told of problems. To be told, see docs/ALARMS.md')]
    return [...(audience?.targets ?? [])].flatMap(([name, target]) =>
      secretsIn(target)
        .filter((secret) => !secrets.isSet?.(secret))
        .map((secret) => problem(`${secret} is not set, so ${name} is told of no problem. Set it in .env`)),
    )
  })
  return saidOr('retention and alarms fit together', said)
}

const secretsIn = (target: unknown): string[] => secretsOf(target as Parameters<typeof secretsOf>[0])
