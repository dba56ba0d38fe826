import { parseCron } from '../../../define/schedule/cron.ts'
import type { FullSchedule } from '../../../define/schedule/schedule.ts'
import {
  secondsOf,
  sleepUpTo,
  unitNames,
  variablesText,
  wordsOf,
  type Job,
  type PrintedFile,
  type Setting,
} from './job.ts'

/** Returns a CronJob for each pipeline. */
export function kubernetes(jobs: readonly Job[], setting: Setting): PrintedFile[] {
  return [...unitNames(jobs)].map(([job, name]) => ({ name: `${name}.yaml`, text: cronJob(job, name, setting) }))
}

/** JSON is valid YAML, and quotes every text. */
const json = (value: unknown): string => JSON.stringify(value)

function cronJob(job: Job, name: string, setting: Setting): string {
  const { schedule } = job
  return `---
# Made by: sluice schedule --print kubernetes
# The image holds this folder, with pipelines/ and what npm ci installs, in /app. The environment comes from a secret:
#   kubectl create secret generic sluice-env --from-env-file=.env    (${variablesText([job])})
# DATABASE_URL has to name a database server. A job cannot use the embedded database.
apiVersion: batch/v1
kind: CronJob
metadata:
  name: ${json(name)}
  labels:
    app.kubernetes.io/name: sluice
    app.kubernetes.io/component: ${json(name)}
spec:
  schedule: ${json(cronOf(schedule))}
  timeZone: ${json(schedule.zone === 'UTC' ? 'Etc/UTC' : schedule.zone)}
  # A lock in the database also keeps two runs of one stream apart. --overlap decides what the later run does.
  concurrencyPolicy: ${schedule.overlap === 'skip' ? 'Forbid' : 'Allow'}
  # A tick that could not start within this time is skipped. Of several missed ticks, one is caught up.
  startingDeadlineSeconds: ${schedule.catchUp === 'none' ? 60 : 86_400}
  successfulJobsHistoryLimit: 3
  failedJobsHistoryLimit: 3
  jobTemplate:
    spec:
      # A run repeats failed requests itself, and the next run continues after the last commit.
      backoffLimit: 0
      # sluice ends after ${setting.timeout} and commits complete batches. This limit ends a process that hangs.
      activeDeadlineSeconds: ${secondsOf(setting.timeoutMs) + 60}
      template:
        metadata:
          labels:
            app.kubernetes.io/name: sluice
            app.kubernetes.io/component: ${json(name)}
        spec:
          restartPolicy: Never
          terminationGracePeriodSeconds: 10
          containers:
            - name: sluice
              image: ${json(setting.image)}
              workingDir: /app
              command: ${json(commandOf(schedule))}
              args: ${json(wordsOf(job, setting, '--log-format', 'json'))}
              envFrom:
                - secretRef:
                    name: sluice-env
`
}

/** Kubernetes has no jitter, so the shell waits. */
const commandOf = ({ jitterMs }: FullSchedule): string[] =>
  jitterMs === 0 ? [PROGRAM] : ['sh', '-c', `${sleepUpTo(jitterMs)}; exec ${PROGRAM} "$@"`, 'sluice']
const PROGRAM = '/app/node_modules/.bin/sluice'

/** Returns the pattern with 0 for Sunday: Kubernetes rejects 7. */
function cronOf({ cron }: FullSchedule): string {
  const [minute, hour, day, month, weekday = '*'] = cron.split(' ')
  return [
    minute,
    hour,
    day,
    month,
    weekday.includes('7') ? parseCron(cron, 'schedule').weekday.join(',') : weekday,
  ].join(' ')
}
