import {
  endPauses,
  pause,
  pausedName,
  pauseOf,
  pauseText,
  readPauses,
  type PausedName,
} from '../../../ledger/pauses.ts'
import { authorText } from '../../../ledger/changes.ts'
import { UsageError } from '../../../model/errors.ts'
import { author } from '../../../run/author.ts'
import { openStore } from '../../../run/open-store.ts'
import { defined } from '../../../value/defined.ts'
import type { CommandContext, CommonOptions } from '../../execute-command.ts'
import { parseStreamName, requireKnownName } from '../stream-names.ts'

interface WhyOptions extends CommonOptions {
  readonly why?: string
}

/** `sluice pause`: streams are not started any more, and those that are read now stop after their next commit. */
export async function pauseCommand(
  [words]: [string[]],
  { database, why }: WhyOptions,
  { signal }: CommandContext,
): Promise<number> {
  const names = words.map(nameOf)
  await using store = await openStore({ database, signal })
  for (const name of names) await requireKnownName(store.database, name)
  const before = await readPauses(store.database)
  for (const name of names) {
    const known = before.find(({ pipeline, stream }) => pipeline === name.pipeline && stream === name.stream)
    await pause(store.database, name, author(why))
    const was = known ? ` (it was paused ${authorText(known)})` : ''
    console.log(
      `${pausedName(name)} is paused${was}. No run, backfill, schedule or server starts it, and one that reads it ` +
        `stops after its next commit. To go on: sluice continue ${pausedName(name)}`,
    )
  }
  return 0
}

/** `sluice continue`: ends pauses. That of a pipeline also ends those of its streams. */
export async function continueCommand(
  [words]: [string[]],
  { database, why }: WhyOptions,
  { signal }: CommandContext,
): Promise<number> {
  const names = words.map(nameOf)
  await using store = await openStore({ database, signal })
  for (const name of names) {
    const ended = await endPauses(store.database, name, author(why))
    for (const one of ended) console.log(`${pausedName(one)} goes on: it was paused ${authorText(one)}`)
    const left = await readPauses(store.database, [name.pipeline])
    const still = name.stream === undefined ? left[0] : pauseOf(left, { ...name, stream: name.stream })
    // A stream of a pipeline that is paused, or an account of one, goes on only with all of it.
    if (still) throw new UsageError(`${pausedName(name)} does not go on: ${pauseText(still)}`)
    if (ended.length === 0) {
      await requireKnownName(store.database, name)
      console.log(`${pausedName(name)} is not paused. For all that is: sluice status`)
    }
  }
  return 0
}

function nameOf(word: string): PausedName {
  const { pipeline, stream } = parseStreamName(word)
  if (pipeline === undefined) throw new UsageError('Give PIPELINE or PIPELINE.STREAM')
  return { pipeline, ...defined({ stream }) }
}
