import { existsSync } from 'node:fs'
import { findPipelines } from '../../run/find-pipelines.ts'
import { messageOf } from '../../value/error.ts'
import { formatCount } from '../../value/format.ts'
import { probeCommand } from '../commands/inspect/probe.ts'
import type { CommandContext } from '../execute-command.ts'
import { recordTest } from './record-test.ts'

interface Beginning {
  readonly folder: string
  /** Of the pipeline, in the project. */
  readonly file: string
  /** As those of `sluice probe`. */
  readonly auth: readonly string[]
  readonly header: readonly string[]
}

/**
 * Probes an API, and writes its pipeline and a test with recorded answers into a project. Returns the exit code; the
 * project stays if the API was of no use.
 */
export async function beginFrom(
  url: string,
  { folder, file, auth, header }: Beginning,
  context: CommandContext,
): Promise<number> {
  const before = process.cwd()
  // Probing writes to the working directory, and so does a pipeline that is imported.
  process.chdir(folder)
  try {
    console.log('')
    const code = await probeCommand([url], { auth, header, isLast: false }, context)
    if (!existsSync(file)) return code
    return Math.max(code, await testOf(file, context))
  } finally {
    process.chdir(before)
  }
}

/** A pipeline without a test is of use. */
async function testOf(file: string, { signal, hide }: CommandContext): Promise<number> {
  try {
    const [found] = await findPipelines([file])
    const recorded = found && (await recordTest(found.pipeline, signal))
    if (recorded) {
      const { name } = found.pipeline
      console.log(
        `Wrote test/${name}.test.ts, and test/${name}.json with ${formatCount(recorded.answers, 'answer')}.\n` +
          'Look through it before you commit it: secrets were removed, and no rule knows what else is personal.',
      )
    }
    return 0
  } catch (error) {
    signal.throwIfAborted()
    console.error(hide(`No test was written for ${file}: ${messageOf(error)}`))
    return 1
  }
}
