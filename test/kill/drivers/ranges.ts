import type { Message } from '../../support/pg-proxy.ts'
import { BrokenPromise } from '../broken-promise.ts'
import { succeeded } from '../checks.ts'
import type { Context, Job } from '../job.ts'
import { RangesRig } from '../ranges-rig.ts'
import type { SluiceRun } from '../sluice.ts'
import { isBatchCommit, isTurning, losingAnswers, losingCommits, type When } from '../watches.ts'

const WRITES = ['merge', 'append'] as const
type RangesWrite = (typeof WRITES)[number]

/**
 * Days of a stream that are read three at once and end in another order: killed at every message after which the other
 * side has something to do and at every request, at each commit while another run waits for the stream, and with
 * commits that are lost or get no answer. The messages in between change nothing: what was sent is carried out, though
 * the answer is read by nobody. Merge and append take turns. A run with `--full` is killed at every commit, and the
 * one after it, which is not asked to read everything, has to do so.
 */
export async function ranges({ databases }: Pick<Context, 'databases'>): Promise<Job[]> {
  const job = (name: string, write: RangesWrite, act: (rig: RangesRig) => Promise<void>): Job => ({
    driver: 'ranges',
    name,
    write,
    run: async (successor) => {
      await using rig = await RangesRig.open(databases, write, successor)
      await act(rig)
      return undefined
    },
  })
  const { instants, requests, commits } = await measured(databases)
  let count = 0
  const turn = (): RangesWrite => WRITES[count++ % 2] ?? 'merge'
  return [
    ...instants.map(({ n, when }) =>
      job(`killed ${when} message ${n}`, turn(), async (rig) => {
        await killedAtMessage(rig, n, when)
        await rig.survives()
      }),
    ),
    ...each(requests).map(({ n, when }) =>
      job(`killed ${when} the answer to request ${n}`, turn(), async (rig) => {
        const run = rig.start({})
        rig.onRequest = (at, place) => void (at === n && place === when && run.kill())
        await run.ended
        await rig.survives()
      }),
    ),
    ...each(commits).map(({ n, when }) =>
      job(`--full is killed ${when} commit ${n}`, 'merge', async (rig) => {
        await rig.changeAll()
        await killedAtCommit(rig, n, when)
        await rig.survives()
      }),
    ),
    ...each(commits).flatMap(({ n, when }) =>
      WRITES.map((write) =>
        job(`killed ${when} commit ${n}, while another run waits`, write, (rig) => killedBesideAnother(rig, n, when)),
      ),
    ),
    ...WRITES.flatMap((write) => [
      job('no commit is answered', write, (rig) => livesOn(rig, losingAnswers())),
      job('each commit is lost once', write, (rig) => livesOn(rig, losingCommits())),
    ]),
  ]
}

interface Instant {
  readonly n: number
  readonly when: When
}

const each = (count: number): Instant[] =>
  Array.from({ length: count }, (_, at) => at + 1).flatMap((n): Instant[] => [
    { n, when: 'before' },
    { n, when: 'after' },
  ])

/** The run without a kill. */
async function measured(
  databases: Context['databases'],
): Promise<{ readonly instants: readonly Instant[]; readonly requests: number; readonly commits: number }> {
  await using rig = await RangesRig.open(databases, 'merge')
  const instants: Instant[] = []
  let commits = 0
  const run = rig.start({
    before: (message, n) => {
      // Right before an answer is right after the question.
      if (isTurning(message) && message.from === 'client') instants.push({ n, when: 'before' })
      if (isTurning(message)) instants.push({ n, when: 'after' })
      if (isBatchCommit(message)) commits++
    },
  })
  succeeded(await run.ended, 'the run without a kill')
  const { requests } = rig
  await rig.complete()
  return { instants, requests, commits }
}

async function killedAtMessage(rig: RangesRig, n: number, when: When): Promise<void> {
  const strike = (_: unknown, at: number): void => {
    if (at !== n) return
    run.kill()
    rig.proxy.freeze()
  }
  const run: SluiceRun = rig.start({ [when]: strike })
  await run.ended
  rig.proxy.thaw()
}

/** After the commit that ends a step, the next one is not there yet. */
async function killedAtCommit(rig: RangesRig, n: number, when: When): Promise<void> {
  let seen = 0
  const strike = (message: Message): void => {
    if (!isBatchCommit(message) || ++seen !== n) return
    run.kill()
    rig.proxy.freeze()
  }
  const run: SluiceRun = rig.start({ [when]: strike }, ['--full'])
  await run.ended
  rig.proxy.thaw()
}

/** The second run takes over what the first one has left, in whichever order its ranges have ended. */
async function killedBesideAnother(rig: RangesRig, n: number, when: When): Promise<void> {
  let seen = 0
  let second: SluiceRun | undefined
  const strike = (message: Message): void => {
    if (!isBatchCommit(message) || ++seen !== n) return
    first.kill()
    rig.proxy.freeze()
  }
  // With its first commit the first run holds the stream.
  const begin = (message: Message): void => {
    if (isBatchCommit(message)) second ??= later(rig)
  }
  const first: SluiceRun = rig.start({
    [when]: strike,
    [when === 'before' ? 'after' : 'before']: begin,
  })
  await first.ended
  rig.proxy.thaw()
  second ??= later(rig)
  succeeded(await second.ended, 'the run that waited')
  await rig.complete()
}

const later = (rig: RangesRig): SluiceRun => rig.start(undefined, ['--overlap', 'wait'])

async function livesOn(rig: RangesRig, watch: ReturnType<typeof losingAnswers>): Promise<void> {
  succeeded(await rig.start(watch).ended, 'the run whose commits were lost')
  if (watch.lost === 0) throw new BrokenPromise('no commit was lost')
  await rig.complete()
}
