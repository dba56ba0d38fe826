import { setTimeout as sleep } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import { BrokenPromise } from '../broken-promise.ts'
import { complete, furtherRun, succeeded } from '../checks.ts'
import type { Context, Job } from '../job.ts'
import type { Place } from '../place.ts'
import { small } from '../records.ts'
import { Rig, WRITES, type Write } from '../rig.ts'
import type { SluiceRun } from '../sluice.ts'
import { rows, slices } from '../stored.ts'
import { isBatchCommit, isCopy } from '../watches.ts'

/** Seconds that a lease lasts by default: a stopped process has one, and its keeper's session is alive. */
const LEASE = 60
/** It may have been renewed up to this long before the process was stopped. */
const RENEWAL = 15

/** SIGSTOP until another run has taken over and finished, then SIGCONT: the stopped one must write nothing more. */
export function stopped({ databases }: Context): Job[] {
  return WRITES.flatMap((write) =>
    (['request', 'COPY', 'before commit'] as const).map((place) => ({
      driver: 'stopped',
      name: `stopped at '${place}' until another run has finished`,
      write,
      run: () => takenOver(databases, write, place),
    })),
  )
}

async function takenOver(databases: Context['databases'], write: Write, place: Place): Promise<undefined> {
  await using rig = await Rig.open({ databases, write, data: small() })
  const reached = Promise.withResolvers<number>()
  let batches = 0
  let isStopped = false
  const stop = (): void => {
    isStopped = true
    first.stop()
    reached.resolve(performance.now())
  }
  rig.api.options.before = () => {
    if (!isStopped && place === 'request' && batches >= 4) stop()
  }
  const first: SluiceRun = rig.start({
    limit: 600_000,
    watch: {
      before(message) {
        if (isBatchCommit(message)) batches++
        if (isStopped || batches < 4) return undefined
        if (place === 'COPY' && isCopy(message)) stop()
        if (place === 'before commit' && isBatchCommit(message)) {
          // It has reached the proxy, but the server never sees it; the process knows nothing of that.
          stop()
          return 'drop'
        }
        return undefined
      },
    },
  })
  const at = await Promise.race([
    reached.promise,
    first.ended.then(({ stderr }) => {
      throw new BrokenPromise(`the run that was to be stopped ended before:\n${stderr}`)
    }),
  ])
  const second = rig.start({
    past: true,
    flags: ['--overlap', 'wait'],
    limit: 300_000,
    batchRows: 2 * rig.data.batchRows,
  })
  const tooEarly = sleep((LEASE - RENEWAL - 5) * 1_000).then(async () =>
    (await slices(rig.direct)).some(({ status, token }) => status === 'open' && token > 1),
  )
  succeeded(await second.ended, 'the run that waited for the lease')
  const waited = (performance.now() - at) / 1_000
  if ((await tooEarly) || waited < LEASE - RENEWAL - 5)
    throw new BrokenPromise(`the other run took over after ${Math.round(waited)} s, while the lease held`)
  await complete(rig, 'after the other run')
  const before = await state(rig)
  first.goOn()
  const { code, stderr } = await first.ended
  if (code !== 1) throw new BrokenPromise(`the stopped run ended with exit code ${code}:\n${stderr}`)
  if (!isDeepStrictEqual(await state(rig), before))
    throw new BrokenPromise('the stopped run has written after it went on')
  await complete(rig, 'after the stopped run went on')
  await furtherRun(rig)
}

const state = async ({ direct }: Rig): Promise<unknown> => [
  await rows(direct, 'items'),
  await rows(direct, 'notes'),
  (await slices(direct)).map(({ id, position, seq, fetched, inserted, status }) => [
    id,
    position,
    seq,
    fetched,
    inserted,
    status,
  ]),
]
