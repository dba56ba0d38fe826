import { findPipelines } from '../../run/find-pipelines.ts'
import { messageOf } from '../../value/error.ts'
import { formatCount } from '../../value/format.ts'
import type { Found } from '../../probe/found.ts'
import { writeAndRead } from '../commands/inspect/probe.ts'
import type { CommandContext } from '../execute-command.ts'
import { recordTest } from './record-test.ts'

interface Beginning {
  readonly folder: string
  /** Of the pipeline, in the project. */
  readonly file: string
}

/** Writes the pipeline of an API and a test with recorded answers into a project. Returns the exit code. */
export async function beginFrom(found: Found, { folder, file }: Beginning, context: CommandContext): Promise<number> {
  const before = process.cwd()
  // A pipeline and its test are written to the working directory, and read from there.
  process.chdir(folder)
  try {
    console.log('')
    const code = await writeAndRead(found, { file, isLast: false }, context)
    return Math.max(code, await testOf(file, context))
  } finally {
    process.chdir(before)
  }
}

/** A pipeline without a test is of use. */
async function testOf(file: string, { signal, hide }: CommandContext): Promise<number> {
  try {
    const [found] = await findPipelines([file])
    const written = found && (await recordTest(found, signal))
    if (written) {
      const { answers, file: recording } = written.recorded
      console.log(
        `Wrote ${written.test}, and ${recording} with ${formatCount(answers, 'answer')}.\n` +
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
