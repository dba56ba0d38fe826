import { dirname } from 'node:path'
import { environmentText, sleepUpTo, wordsOf, type Job, type PrintedFile, type Setting } from './job.ts'

/** Returns one crontab for all pipelines. */
export function crontab(jobs: readonly Job[], setting: Setting): PrintedFile[] {
  const zones = [...Map.groupBy(jobs, ({ schedule }) => schedule.zone)].flatMap(([zone, ofZone]) => [
    '',
    `CRON_TZ=${zone}`,
    ...ofZone.flatMap((job) => [`# ${job.pipeline}`, line(job, setting)]),
  ])
  return [{ name: 'sluice.crontab', text: [...head(jobs, setting), ...zones, ''].join('\n') }]
}

function head(jobs: readonly Job[], setting: Setting): string[] {
  const {
    program: [executable = ''],
    timeout,
  } = setting
  return [
    '# Made by: sluice schedule --print crontab',
    '# Install it with `crontab sluice.crontab`. That replaces the present crontab of the user.',
    `# ${environmentText(jobs, setting)}: cron passes no environment to its jobs.`,
    '# A lock in the database keeps two runs of one stream apart. --overlap decides what the later run does.',
    `# A run ends after ${timeout}. Complete batches are committed, and the next run continues after them.`,
    '# Each run adds one line to .sluice/PIPELINE.log. The line of a failed run is also printed, so cron mails it.',
    '# cronie reads CRON_TZ. If `man 5 crontab` does not name it, the times are those of the machine.',
    '# cron does not catch up on ticks that were missed while the machine was off. The next run reads all new records.',
    'SHELL=/bin/sh',
    `PATH=${dirname(executable)}:/usr/local/bin:/usr/bin:/bin`,
    '# MAILTO=you@example.org',
  ]
}

function line(job: Job, setting: Setting): string {
  const {
    pipeline,
    schedule: { cron, jitterMs },
  } = job
  const log = shellWord(`.sluice/${pipeline}.log`)
  const run = [...setting.program, ...wordsOf(job, setting, '--quiet')].map(shellWord).join(' ')
  const wait = jitterMs > 0 ? `${sleepUpTo(jitterMs)}; ` : ''
  const logged = `{ ${wait}${run} >>${log} 2>&1 || { tail -n 1 ${log}; exit 1; }; }`
  const command = `cd ${shellWord(setting.cwd)} && mkdir -p .sluice && ${logged}`
  // cron ends the command at an unescaped %, and sends the rest to its standard input.
  return `${cron} ${command.replaceAll('%', '\\%')}`
}

const shellWord = (text: string): string => (/^[\w./:=@+-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`)
