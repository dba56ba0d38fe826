import { setTimeout as sleep } from 'node:timers/promises'
import { BrokenPromise } from '../broken-promise.ts'
import { complete, furtherRun, succeeded } from '../checks.ts'
import type { Context, Job } from '../job.ts'
import { small } from '../records.ts'
import { Rig, WRITES, type Write } from '../rig.ts'
import { slices } from '../stored.ts'
import { isBatchCommit } from '../watches.ts'

/**
 * A run whose keeper has lost its connection is taken for dead, and another takes its slices over while it lives. Both
 * wait for the API with the same batch number before them: only the token says which of them may go on.
 */
export function twoOwners({ databases }: Context): Job[] {
  return WRITES.flatMap((write) =>
    [3, 6].map((batches) => ({
      driver: 'two owners',
      name: `taken over after batch ${batches}, while the first owner waits for the API`,
      write,
      run: () => takenOver(databases, write, batches),
    })),
  )
}

async function takenOver(databases: Context['databases'], write: Write, after: number): Promise<undefined> {
  await using rig = await Rig.open({ databases, write, data: small() })
  const claimed = Promise.withResolvers<void>()
  const reached = Promise.withResolvers<void>()
  const over = Promise.withResolvers<void>()
  let batches = 0
  let isCut = false
  // Each waits for its answers: the first owner until it has been robbed, the second until the first has ended.
  rig.api.options.before = async (_, run) => {
    if (run === 'first' && batches >= after) {
      reached.resolve()
      await claimed.promise
    }
    if (run === 'second') await over.promise
  }
  const first = rig.start({
    name: 'first',
    watch: {
      before(message) {
        if (isBatchCommit(message)) batches++
        // The keeper comes back only when it is too late.
        if (isCut && message.name === 'Startup') return claimed.promise
        return undefined
      },
    },
  })
  await Promise.race([reached.promise, first.ended])
  isCut = true
  for (const link of rig.proxy.links) if (rig.whereabouts.isKeeper(link)) link.cut()
  const owned = new Set((await slices(rig.direct)).map(({ id }) => id))
  const second = rig.start({ name: 'second', past: true, batchRows: 2 * rig.data.batchRows })
  const open = async () => (await slices(rig.direct)).filter(({ id, status }) => owned.has(id) && status === 'open')
  while ((await open()).some(({ token }) => token === 1) && second.isRunning) await sleep(10)
  const before = await open()
  claimed.resolve()
  const { code, stderr, stdout } = await first.ended
  const stolen = (await slices(rig.direct)).filter(({ id, seq, token }) =>
    before.some((slice) => slice.id === id && slice.token === token && slice.seq !== seq),
  )
  over.resolve()
  if (stolen.length > 0)
    throw new BrokenPromise(
      `the first owner has stored batches of ${stolen.map(({ stream }) => stream).join(' and ')} ` +
        'after they were taken over',
    )
  if (before.length > 0 && code !== 1)
    throw new BrokenPromise(
      `the first owner ended with exit code ${code}, though its slices were taken over:\n${stderr}${stdout}`,
    )
  succeeded(await second.ended, 'the run that took over')
  await complete(rig, 'after the run that took over')
  await furtherRun(rig)
}
