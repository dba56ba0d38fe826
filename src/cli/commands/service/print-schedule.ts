import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { parse } from 'dotenv'
import { scheduleOf } from '../../../define/schedule/schedule.ts'
import { requiredSecretsIn } from '../../../define/secrets-in.ts'
import { UsageError } from '../../../model/errors.ts'
import { packageRoot } from '../../../observe/package-root.ts'
import type { FoundPipeline } from '../../../run/find-pipelines.ts'
import type { Job } from '../../../run/schedule/print/job.ts'
import { printSchedule, type OtherScheduler } from '../../../run/schedule/print/print-schedule.ts'
import { defined } from '../../../value/defined.ts'
import { duration } from '../../../value/duration.ts'
import type { ScheduleCommandOptions } from './schedule.ts'

/** Runs that take longer need the attention of a person. */
const DEFAULT_TIMEOUT = '6h'

/** `sluice schedule --print`: prints complete files, each below a line with its name; with `--into`, writes them. */
export async function printScheduleCommand(
  found: readonly FoundPipeline[],
  {
    print,
    into,
    image = 'sluice:latest',
    timeout = DEFAULT_TIMEOUT,
    overlap,
    catchUp,
    distribute = false,
  }: ScheduleCommandOptions & { readonly print: OtherScheduler },
): Promise<number> {
  if (found.length === 0)
    throw new UsageError(`No pipeline has a schedule: add one, as in { schedule: '*/15 * * * *' }`)
  const files = printSchedule(print, jobsOf(found, defined({ overlap, catchUp })), {
    cwd: process.cwd(),
    variables: await variablesInEnvFile(),
    program: [process.execPath, '--max-semi-space-size=16', join(packageRoot(), 'bin', 'sluice.cjs')],
    timeout,
    timeoutMs: duration(timeout),
    distribute,
    image,
  })
  if (into !== undefined) await mkdir(into, { recursive: true })
  for (const { name, text } of files) {
    if (into === undefined) console.log(`# ==> ${name} <==\n${text}`)
    else {
      await writeFile(join(into, name), text)
      console.log(join(into, name))
    }
  }
  return 0
}

/** Returns the names that `.env` sets; none if there is no such file. */
async function variablesInEnvFile(): Promise<string[]> {
  const text = await readFile('.env', 'utf8').catch(() => '')
  return Object.entries(parse(text)).flatMap(([name, value]) => (value === '' ? [] : [name]))
}

function jobsOf(found: readonly FoundPipeline[], given: Partial<Job['schedule']>): Job[] {
  return found.flatMap(({ pipeline, file }) => {
    const schedule = scheduleOf(pipeline)
    if (!schedule) return []
    return [
      {
        pipeline: pipeline.name,
        // `sluice run` finds names in pipelines/ only.
        word: dirname(file) === 'pipelines' ? pipeline.name : file,
        schedule: { ...schedule, ...given },
        secrets: [...new Set(Object.values(pipeline.streams).flatMap(({ recipe }) => requiredSecretsIn(recipe)))],
      },
    ]
  })
}
