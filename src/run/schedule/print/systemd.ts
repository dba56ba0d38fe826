import { dirname } from 'node:path'
import { parseCron, type CronFields } from '../../../define/schedule/cron.ts'
import type { FullSchedule } from '../../../define/schedule/schedule.ts'
import { environmentText, secondsOf, unitNames, wordsOf, type Job, type PrintedFile, type Setting } from './job.ts'

/** Returns a service and a timer for each pipeline. */
export function systemd(jobs: readonly Job[], setting: Setting): PrintedFile[] {
  return [...unitNames(jobs)].flatMap(([job, name]) => [
    { name: `${name}.service`, text: service(job, name, setting) },
    { name: `${name}.timer`, text: timer(job, name) },
  ])
}

function service(job: Job, name: string, setting: Setting): string {
  const { cwd, program, timeout, timeoutMs } = setting
  const [executable = ''] = program
  return lines([
    '# Made by: sluice schedule --print systemd',
    `# Put it into /etc/systemd/system beside ${name}.timer. Then run:`,
    `#   systemctl daemon-reload && systemctl enable --now ${name}.timer`,
    `# ${environmentText([job], setting)}. Sluice reads it. Show the output of runs: journalctl -u ${name}`,
    '[Unit]',
    `Description=Sluice: bring the tables of ${job.pipeline} up to date`,
    'Wants=network-online.target',
    'After=network-online.target',
    '',
    '[Service]',
    'Type=oneshot',
    '# User=sluice',
    `WorkingDirectory=${cwd.replaceAll('%', '%%')}`,
    `Environment=${quoted(`PATH=${dirname(executable)}:/usr/local/bin:/usr/bin:/bin`)}`,
    '# A lock in the database keeps two runs of one stream apart. --overlap decides what the later run does.',
    `ExecStart=${[...program, ...wordsOf(job, setting, '--quiet')].map(quoted).join(' ')}`,
    `# sluice ends after ${timeout} and commits complete batches. This limit ends a process that hangs.`,
    `TimeoutStartSec=${secondsOf(timeoutMs) + 30}`,
    'TimeoutStopSec=10',
    'KillMode=mixed',
    'StandardOutput=journal',
    'StandardError=journal',
    `SyslogIdentifier=${name}`,
  ])
}

function timer({ pipeline, schedule }: Job, name: string): string {
  return lines([
    '# Made by: sluice schedule --print systemd',
    `# ${schedule.cron} in the time zone ${schedule.zone}. A tick that is due while ${name}.service runs is skipped.`,
    ...(schedule.catchUp === 'none'
      ? []
      : ['# Persistent: of the ticks that were missed while the machine was off, one is caught up.']),
    '[Unit]',
    `Description=Times at which Sluice runs ${pipeline}`,
    '',
    '[Timer]',
    ...onCalendar(schedule).map((text) => `OnCalendar=${text}`),
    `Persistent=${schedule.catchUp !== 'none'}`,
    ...(schedule.jitterMs > 0 ? [`RandomizedDelaySec=${secondsOf(schedule.jitterMs)}`] : []),
    'AccuracySec=1s',
    '',
    '[Install]',
    'WantedBy=timers.target',
  ])
}

/**
 * Returns the `OnCalendar` lines of a pattern. With a day of the month and a weekday, cron needs one of the two to
 * match and systemd both, so such a pattern becomes two lines.
 */
export function onCalendar({ cron, zone }: Pick<FullSchedule, 'cron' | 'zone'>): string[] {
  const fields = parseCron(cron, 'schedule')
  const time = `${list(fields, 'hour', 24)}:${list(fields, 'minute', 60)}:00 ${zone}`
  const months = list(fields, 'month', 12)
  const days = `*-${months}-${list(fields, 'day', 31)} ${time}`
  const weekdays = `${fields.weekday.map((day) => WEEKDAYS[day]).join(',')} *-${months}-* ${time}`
  if (fields.any.weekday) return [days]
  return fields.any.day ? [weekdays] : [days, weekdays]
}

const WEEKDAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']

const list = (fields: CronFields, name: 'minute' | 'hour' | 'day' | 'month', all: number): string =>
  fields[name].length === all ? '*' : fields[name].map((value) => String(value).padStart(2, '0')).join(',')

const quoted = (text: string): string => {
  const safe = text.replaceAll('%', '%%').replaceAll('$', () => '$$')
  return /^[\w./:=@+%$-]+$/.test(safe) ? safe : `"${safe.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`
}

const lines = (all: readonly string[]): string => `${all.join('\n')}\n`
