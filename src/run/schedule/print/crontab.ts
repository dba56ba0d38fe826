import { dirname } from 'node:path'
import { environmentText, sleepUpTo, wordsOf, type Job, type PrintedFile, type Setting } from './job.ts'

/** One file for all pipelines, for `crontab`. */
export function crontab(jobs: readonly Job[], setting: Setting): PrintedFile[] {
  const zones = [...Map.groupBy(jobs, ({ schedule }) => schedule.zone)].flatMap(([zone, ofZone]) => [
    '',
    `CRON_TZ=${zone}`,
    ...ofZone.flatMap((job) => [`# ${job.pipeline}`, line(job, setting)]),
  ])
  return [{ name: 'sluice.crontab', text: [...head(jobs, setting), ...zones, ''].join('\n') }]
}

function head(jobs: readonly Job[], setting: Setting): string[] {
  const { program, timeout } = setting
  return [
    '# Made by: sluice schedule --print crontab',
    '# Install it with `crontab sluice.crontab`, which replaces the crontab that is there.',
    `# ${environmentText(jobs, setting)}: cron passes no environment to its jobs.`,
    '# Two runs of one stream are kept apart by Sluice itself, in the database; --overlap says what the later one does.',
    `# A run ends after ${timeout}; what is whole is committed, and the next one goes on from there.`,
    '# Each run leaves one line in .sluice/PIPELINE.log; that of a run that failed is printed too, so that cron sends it by mail.',
    '# CRON_TZ is read by cronie. Where `man 5 crontab` does not name it, times are those of the machine.',
    '# What is missed while the machine is off is not made up for by cron; the next run reads all that is new.',
    'SHELL=/bin/sh',
    `PATH=${dirname(program[0]!)}:/usr/local/bin:/usr/bin:/bin`,
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
  const command = `cd ${shellWord(setting.cwd)} && mkdir -p .sluice && { ${wait}${run} >>${log} 2>&1 || { tail -n 1 ${log}; exit 1; }; }`
  // A bare % would end the command, and begin its standard input.
  return `${cron} ${command.replaceAll('%', '\\%')}`
}

const shellWord = (text: string): string => (/^[\w./:=@+-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`)
