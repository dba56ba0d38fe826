import type { Message } from '../../support/pg-proxy.ts'
import { BrokenPromise } from '../broken-promise.ts'
import { succeeded } from '../checks.ts'
import type { Context, Job } from '../job.ts'
import { RangesRig } from '../ranges-rig.ts'
import type { SluiceRun } from '../sluice.ts'
import { isBatchCommit, losingAnswers, losingCommits, type When } from '../watches.ts'

const WRITES = ['merge', 'append'] as const
type RangesWrite = (typeof WRITES)[number]

/**
 * Days of a stream that are read three at once and end in another order: killed at every message and every request, at
 * each commit while another run waits for the stream, and with commits that are lost or get no answer.
 */
export async function ranges({ databases }: Pick<Context, 'databases'>): Promise<Job[]> {
  const job = (name: string, write: RangesWrite, act: (rig: RangesRig) => Promise<void>): Job => ({
    driver: 'ranges',
    name,
    write,
    run: async () => {
      await using rig = await RangesRig.open(databases, write)
      await act(rig)
      return undefined
    },
  })
  const { messages, requests, commits } = await measured(databases)
  const both: readonly When[] = ['before', 'after']
  const each = (count: number, make: (n: number, when: When, write: RangesWrite) => Job): Job[] =>
    Array.from({ length: count }, (_, at) => at + 1).flatMap((n) =>
      both.map((when, index) => make(n, when, WRITES[(n + index) % 2] ?? 'merge')),
    )
  return [
    ...each(messages, (n, when, write) =>
      job(`killed ${when} message ${n}`, write, async (rig) => {
        await killedAtMessage(rig, n, when)
        await rig.survives()
      }),
    ),
    ...each(requests, (n, when, write) =>
      job(`killed ${when} the answer to request ${n}`, write, async (rig) => {
        const run = rig.start({})
        rig.onRequest = (at, place) => void (at === n && place === when && run.kill())
        await run.ended
        await rig.survives()
      }),
    ),
    ...each(commits, (n, when, write) =>
      job(`killed ${when} commit ${n}, while another run waits`, write, (rig) => killedBesideAnother(rig, n, when)),
    ),
    ...WRITES.flatMap((write) => [
      job('no commit is answered', write, (rig) => livesOn(rig, losingAnswers())),
      job('each commit is lost once', write, (rig) => livesOn(rig, losingCommits())),
    ]),
  ]
}

/** The run without a kill. */
async function measured(
  databases: Context['databases'],
): Promise<{ readonly messages: number; readonly requests: number; readonly commits: number }> {
  await using rig = await RangesRig.open(databases, 'merge')
  let messages = 0
  let commits = 0
  const run = rig.start({
    before: (message, n) => {
      messages = Math.max(messages, n)
      if (isBatchCommit(message)) commits++
    },
  })
  succeeded(await run.ended, 'the run without a kill')
  const { requests } = rig
  await rig.complete()
  return { messages, requests, commits }
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
