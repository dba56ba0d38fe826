// Kills Sluice wherever it can be killed, and proves after each kill that nothing was lost and nothing doubled. `npm
// run kill` is all of it.
import { inspect, parseArgs } from 'node:util'
import { BrokenPromise } from './broken-promise.ts'
import { carryOut } from './carry-out.ts'
import { Databases } from './databases.ts'
import { apiFaults } from './drivers/api-faults.ts'
import { crashes } from './drivers/crashes.ts'
import { deletions } from './drivers/deletions.ts'
import { everyMessage } from './drivers/every-message.ts'
import { instants } from './drivers/instants.ts'
import { lostCommits } from './drivers/lost-commits.ts'
import { moving } from './drivers/moving.ts'
import { prunes } from './drivers/prune.ts'
import { ranges } from './drivers/ranges.ts'
import { stopped } from './drivers/stopped.ts'
import { twoOwners } from './drivers/two-owners.ts'
import { undeletes } from './drivers/undelete.ts'
import { Falls } from './falls.ts'
import { sampled, seeded, type Context, type Job } from './job.ts'
import { Postgres } from './postgres.ts'
import { WRITES, type Write } from './rig.ts'
import { killAll } from './sluice.ts'

const { values: options } = parseArgs({
  options: {
    only: {
      type: 'string',
      default: 'stopped,owners,lost,faults,crashes,moving,ranges,announced,missing,undelete,prune,messages,instants',
    },
    write: { type: 'string', default: WRITES.join(',') },
    /** Scenarios at once; those that only wait for a lease come on top. */
    jobs: { type: 'string', default: '2' },
    seed: { type: 'string', default: '1' },
    /** So many of each driver's scenarios instead of all. */
    sample: { type: 'string' },
    /** Only scenarios whose name holds this. */
    name: { type: 'string' },
    /** Stop after so many broken promises. */
    enough: { type: 'string', default: 'Infinity' },
  },
})
const only = new Set(options.only.split(','))
const writes = options.write.split(',') as Write[]
const atOnce = Number(options.jobs)
const started = performance.now()
const falls = new Falls()
let count = 0
let broken = 0

await using postgres = await Postgres.open()
await using databases = await Databases.open(postgres.url)
// Nothing of ours is left behind when it is interrupted: neither runs, some of which are stopped, nor servers.
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    killAll()
    void Postgres.stopAll().finally(() => process.exit(130))
  })
}
const context: Context = { databases, random: seeded(Number(options.seed)) }

const chosen = (jobs: readonly Job[]): Job[] => {
  const named = jobs.filter(
    ({ name, write }) => writes.includes(write) && (options.name === undefined || name.includes(options.name)),
  )
  return options.sample === undefined ? named : sampled(named, Number(options.sample), context.random)
}

async function carry(
  title: string,
  make: () => readonly Job[] | Promise<readonly Job[]>,
  { together = atOnce, succeed = false } = {},
): Promise<void> {
  const since = performance.now()
  try {
    const mine = chosen(await make())
    if (mine.length === 0) return
    const outcome = await carryOut(mine, {
      atOnce: together,
      succeed,
      falls,
      enough: Number(options.enough),
      ended: progress(title, mine.length),
    })
    count += outcome.done
    broken += outcome.failures.length
    console.log(`${title}: ${outcome.done} scenarios, ${outcome.failures.length} broken promises, ${seconds(since)} s`)
  } catch (error) {
    // Without a kill, already.
    broken++
    console.log(`BROKEN ${title}: ${text(error)}`)
  }
}

const progress =
  (title: string, all: number) =>
  (job: Job, done: number, error?: unknown): void => {
    if (error !== undefined) console.log(`BROKEN ${title}, ${job.write}: ${job.name}\n  ${text(error)}`)
    else if (process.stdout.isTTY) process.stdout.write(`\r${title}: ${done} of ${all} \r`)
    else if (done % 250 === 0) console.log(`${title}: ${done} of ${all}, ${seconds(started)} s`)
  }
const text = (error: unknown): string => (error instanceof BrokenPromise ? error.message : inspect(error))
const seconds = (since: number): string => ((performance.now() - since) / 1_000).toFixed(1)

// Its processes do nothing but wait for a lease to be over.
const waiting = only.has('stopped')
  ? carry('stopped', () => stopped(context), { together: WRITES.length * 3 })
  : Promise.resolve()
if (only.has('owners')) await carry('two owners', () => twoOwners(context))
if (only.has('lost')) await carry('lost commits', () => lostCommits(context))
if (only.has('faults')) await carry('API faults', () => apiFaults(context), { together: atOnce * 2 })
if (only.has('crashes')) await carry('crashes', () => crashes(context, 5))
if (only.has('moving')) await carry('moving lists', () => moving(context, 300))
if (only.has('ranges')) await carry('ranges at once', () => ranges(context), { succeed: true })
for (const kind of ['announced', 'missing'] as const)
  if (only.has(kind)) await carry(`deletions, ${kind}`, () => deletions(context, kind), { succeed: true })
if (only.has('undelete')) await carry('undelete', () => undeletes(context), { succeed: true })
if (only.has('prune')) await carry('prune', () => prunes(context))
if (only.has('messages'))
  for (const write of writes)
    await carry(`every message of ${write}`, () => everyMessage(context, write), { succeed: true })
if (only.has('instants')) await carry('instants', () => instants(context, 100, atOnce), { succeed: true })
await waiting

if (only.has('messages') || only.has('instants')) console.log(`\n${falls.table(writes)}`)
const empty =
  only.has('messages') && only.has('instants') && options.sample === undefined && options.name === undefined
    ? falls.empty(writes)
    : []
for (const place of empty) console.log(place)
console.log(
  `\n${count} scenarios in ${seconds(started)} s: ${broken === 0 ? 'every promise held' : `${broken} broken promises`}`,
)
process.exitCode = broken > 0 || empty.length > 0 ? 1 : 0
