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

/** A CronJob for each pipeline. */
export function kubernetes(jobs: readonly Job[], setting: Setting): PrintedFile[] {
  return [...unitNames(jobs)].map(([job, name]) => ({ name: `${name}.yaml`, text: cronJob(job, name, setting) }))
}

/** JSON is YAML, so that no text is taken for anything else. */
const json = (value: unknown): string => JSON.stringify(value)

function cronJob(job: Job, name: string, setting: Setting): string {
  const { schedule } = job
  return `---
# Made by: sluice schedule --print kubernetes
# The image holds this folder, with pipelines/ and what npm ci installs, in /app. The environment comes from a secret:
#   kubectl create secret generic sluice-env --from-env-file=.env    (${variablesText([job])})
# It reaches the tables by DATABASE_URL: there is no place for an embedded database here.
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
  # Two runs of one stream are kept apart by Sluice itself, too; --overlap says what the later one does.
  concurrencyPolicy: ${schedule.overlap === 'skip' ? 'Forbid' : 'Allow'}
  # A tick that could not be started for so long is left out; of several that were missed, one is made up for.
  startingDeadlineSeconds: ${schedule.catchUp === 'none' ? 60 : 86_400}
  successfulJobsHistoryLimit: 3
  failedJobsHistoryLimit: 3
  jobTemplate:
    spec:
      # A run tries requests again by itself, and the next one goes on from what was committed.
      backoffLimit: 0
      # sluice ends by itself after ${setting.timeout}, with what is whole committed; this is for one that does not.
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
              args: ${json(wordsOf(job, setting))}
              envFrom:
                - secretRef:
                    name: sluice-env
`
}

/** Kubernetes knows no jitter, so the shell waits. */
const commandOf = ({ jitterMs }: FullSchedule): string[] =>
  jitterMs === 0 ? [program] : ['sh', '-c', `${sleepUpTo(jitterMs)}; exec ${program} "$@"`, 'sluice']
const program = '/app/node_modules/.bin/sluice'

/** Kubernetes knows no Sunday 7. */
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
