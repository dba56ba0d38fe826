import { BrokenPromise } from '../broken-promise.ts'
import { complete, furtherRun, succeeded, survives } from '../checks.ts'
import type { Context, Job } from '../job.ts'
import { small } from '../records.ts'
import { Rig, WRITES, type Write } from '../rig.ts'
import { slices } from '../stored.ts'
import { HeldCommit, isBatchCommit, isCopy, losingAnswers, losingCommits, sliceOf } from '../watches.ts'

/** Commits that get lost, or come late, while the process lives and after it has died. */
export function lostCommits({ databases }: Context): Job[] {
  const data = small()
  const job = (write: Write, name: string, run: (rig: Rig) => Promise<void>): Job => ({
    driver: 'lost commits',
    name,
    write,
    run: async () => {
      await using rig = await Rig.open({ databases, write, data })
      await run(rig)
      return undefined
    },
  })
  return WRITES.flatMap((write) => [
    job(write, 'the answer to every commit is lost', (rig) => living(rig, losingAnswers())),
    job(write, 'every commit is lost', (rig) => living(rig, losingCommits())),
    ...[1, 4, 9].flatMap((n) => [
      job(write, `commit ${n} arrives while its batch is being sent again`, (rig) => late(rig, n)),
      job(write, `commit ${n} of a killed run arrives when another has taken over`, (rig) => takenOver(rig, n)),
    ]),
    ...(write === 'append'
      ? [1, 4, 9].map((n) => job(write, `commit ${n} arrives after its batch was sent again`, (rig) => tooLate(rig, n)))
      : []),
  ])
}

async function living(rig: Rig, watch: ReturnType<typeof losingAnswers>): Promise<void> {
  succeeded(await rig.start({ watch }).ended, 'the run whose commits were lost')
  if (watch.lost < 12) throw new BrokenPromise(`only ${watch.lost} batches were committed`)
  await complete(rig, 'after the run')
  await furtherRun(rig)
}

/** The process believes the connection lost, and its commit reaches the server only when the batch comes again. */
async function late(rig: Rig, n: number): Promise<void> {
  const held = new HeldCommit(n)
  let delivered: Promise<string> | undefined
  const run = rig.start({
    watch: {
      before(message) {
        const verdict = held.before(message)
        if (verdict === undefined && held.isHeld && !delivered && isCopy(message)) {
          delivered = held.deliver()
          return delivered.then(() => undefined)
        }
        return verdict
      },
    },
  })
  succeeded(await run.ended, 'the run whose commit came late')
  if (!delivered) throw new BrokenPromise(`commit ${n} was not delivered`)
  await complete(rig, 'after the run')
  await furtherRun(rig)
}

/** As before, but the late commit comes when the batch has just been committed a second time: it must fail. */
async function tooLate(rig: Rig, n: number): Promise<void> {
  const held = new HeldCommit(n)
  const again = new Set<number>()
  let delivered: Promise<string> | undefined
  const run = rig.start({
    watch: {
      before: (message) => {
        if (held.isHeld && isBatchCommit(message) && sliceOf(message) === held.slice) again.add(message.link.id)
        return held.before(message)
      },
      async after({ text, link }) {
        if (text === 'COMMIT' && again.has(link.id)) await (delivered ??= held.deliver())
      },
    },
  })
  succeeded(await run.ended, 'the run whose commit was sent again')
  if (!delivered) throw new BrokenPromise(`commit ${n} was not delivered`)
  if ((await delivered) === 'COMMIT') throw new BrokenPromise(`commit ${n} was accepted a second time`)
  await complete(rig, 'after the run')
  await furtherRun(rig)
}

/**
 * A backend of a dead process commits after another run has claimed its slice, which makes other batches of the same
 * pages.
 */
async function takenOver(rig: Rig, n: number): Promise<void> {
  const held = new HeldCommit(n)
  const first = rig.start({ watch: { before: held.before } })
  await held.held
  const { token } = (await slices(rig.direct)).find(({ id }) => id === held.slice)!
  await rig.kill(first)
  let delivered: Promise<string> | undefined
  const second = rig.start({
    batchRows: 2 * rig.data.batchRows,
    watch: {
      before(message) {
        held.before(message)
        if (delivered || !(isCopy(message) || isBatchCommit(message))) return undefined
        return (async () => {
          // The other stream may be the first to store something.
          const slice = (await slices(rig.direct)).find(({ id }) => id === held.slice)
          if (slice!.token === token) return
          await (delivered ??= held.deliver())
        })()
      },
    },
  })
  succeeded(await second.ended, 'the run that took over')
  if ((await delivered) === 'COMMIT')
    throw new BrokenPromise('the dead run has committed after its slice was taken over')
  await survives(rig)
}
