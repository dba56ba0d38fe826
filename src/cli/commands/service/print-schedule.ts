import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { scheduleOf } from '../../../define/schedule.ts'
import { secretsIn } from '../../../define/secrets-in.ts'
import { duration } from '../../../value/duration.ts'
import { UsageError } from '../../../model/errors.ts'
import type { FoundPipeline } from '../../../run/find-pipelines.ts'
import type { Job } from '../../../run/schedule/print/job.ts'
import { printSchedule, type OtherScheduler } from '../../../run/schedule/print/print-schedule.ts'
import type { ScheduleCommandOptions } from './schedule.ts'
import { packageRoot } from '../../../observe/package-root.ts'

/** A run that takes longer than this is looked at by somebody. */
const timeoutDefault = '6h'

/**
 * `sluice schedule --print`: complete files on stdout, each below a line with its name; or with `--into` where they are
 * wanted.
 */
export async function printScheduleCommand(
  found: readonly FoundPipeline[],
  {
    print,
    into,
    image = 'sluice:latest',
    timeout = timeoutDefault,
    overlap,
    catchUp,
  }: ScheduleCommandOptions & { readonly print: OtherScheduler },
): Promise<number> {
  if (found.length === 0)
    throw new UsageError("There is nothing to schedule: give a pipeline a schedule, as in { schedule: '*/15 * * * *' }")
  const jobs = found.map((one) => jobOf(one, { ...(overlap && { overlap }), ...(catchUp && { catchUp }) }))
  const program = [process.execPath, '--max-semi-space-size=16', join(packageRoot(), 'bin', 'sluice.cjs')]
  const files = printSchedule(print, jobs, {
    cwd: process.cwd(),
    program,
    timeout,
    timeoutMs: duration(timeout),
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

function jobOf({ pipeline, file }: FoundPipeline, given: Partial<Job['schedule']>): Job {
  // A name is looked for in pipelines/ only.
  const word = dirname(file) === 'pipelines' ? pipeline.name : file
  return {
    pipeline: pipeline.name,
    word,
    schedule: { ...scheduleOf(pipeline)!, ...given },
    secrets: [...new Set(Object.values(pipeline.streams).flatMap(({ recipe }) => secretsIn(recipe)))],
  }
}
