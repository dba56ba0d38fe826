import { openDatabase } from '../../../src/database/database.ts'
import { undelete, type Undeleted } from '../../../src/ledger/undelete.ts'
import { BrokenPromise } from '../broken-promise.ts'
import { succeeded } from '../checks.ts'
import type { Databases } from '../databases.ts'
import { unlikeUndeleted, type Kind } from '../deletions/records.ts'
import { DeletionsRig } from '../deletions/rig.ts'
import { contentsOf, placesOf } from '../deletions/state.ts'
import { instantsBetween, SeenMessages } from '../instants-between.ts'
import type { Context, Job } from '../job.ts'
import type { Successor } from '../successor.ts'

const KINDS = ['announced', 'missing'] as const satisfies readonly Kind[]

/**
 * `sluice undelete`, killed once between any two messages that the server acts upon: rows are back with their lists and
 * kept no longer, or none is. The next one puts the same rows back once, and one more finds nothing.
 */
export async function undeletes({ databases, random }: Context): Promise<Job[]> {
  const jobs: Job[] = []
  for (const kind of KINDS) {
    const { before, after, messages } = await measured(databases, kind)
    for (const instant of instantsBetween(messages, random))
      jobs.push({
        driver: 'undelete',
        name: `undelete ${kind} killed ${instant.when} message ${instant.n} (${instant.name})`,
        write: kind === 'missing' ? 'mirror' : 'merge',
        run: async (successor) => {
          await using rig = await deleted(databases, kind, successor)
          await rig.killedAt(instant, ['undelete', kind])
          const found = await stored(rig)
          if (found !== before && found !== after)
            throw new BrokenPromise(`after the kill, a part of the rows is back: ${found}`)
          await undeleted(rig)
          await complete(rig, after, 'after the next undelete')
          return undefined
        },
      })
  }
  return jobs
}

/** After the second day, on which records are gone. */
async function deleted(databases: Databases, kind: Kind, successor?: Successor): Promise<DeletionsRig> {
  await using resources = new AsyncDisposableStack()
  const rig = resources.use(await DeletionsRig.open(databases, kind, successor))
  await rig.firstDay()
  succeeded(await rig.again(), 'the run of the second day')
  resources.move()
  return rig
}

async function measured(databases: Databases, kind: Kind) {
  await using rig = await deleted(databases, kind)
  const before = await stored(rig)
  const messages = new SeenMessages()
  succeeded(await rig.start(messages, ['undelete', kind]).ended, 'undelete without a kill')
  const after = await stored(rig)
  await complete(rig, after, 'after undelete without a kill')
  return { before, after, messages: messages.all }
}

async function stored(rig: DeletionsRig): Promise<string> {
  const states = await rig.states()
  return states.map(contentsOf).join('\n')
}

async function undeleted(rig: DeletionsRig): Promise<readonly Undeleted[]> {
  await using database = await openDatabase({ url: rig.url })
  await using transaction = await database.transaction()
  const tables = await undelete(transaction, { pipeline: rig.kind })
  await transaction.commit()
  return tables
}

async function complete(rig: DeletionsRig, after: string, when: string): Promise<void> {
  const states = await rig.states()
  const found = states.map(contentsOf).join('\n')
  if (found !== after) throw new BrokenPromise(`${when}: ${found} is stored, and not ${after}`)
  for (const { stream, tables, kept } of states) {
    const problem = unlikeUndeleted(rig.kind, stream, tables)
    if (problem !== undefined) throw new BrokenPromise(`${when}, ${stream}: ${problem}`)
    const rows = kept.filter((row) => 'row' in row)
    if (rows.length > 0)
      throw new BrokenPromise(`${when}: rows of ${stream} that are back are kept: ${JSON.stringify(rows)}`)
  }
  const places = await placesOf(rig.direct)
  const more = await undeleted(rig)
  if (more.length > 0 || (await placesOf(rig.direct)) !== places)
    throw new BrokenPromise(`${when}: a further undelete has changed rows: ${JSON.stringify(more)}`)
}
