import type { Client } from 'pg'
import { openDatabase } from '../../../src/database/database.ts'
import { prune, type PruneCounts } from '../../../src/ledger/prune.ts'
import { RETENTION } from '../../../src/run/retention.ts'
import { BrokenPromise } from '../broken-promise.ts'
import { succeeded } from '../checks.ts'
import { connected, type Databases } from '../databases.ts'
import { instantsBetween, SeenMessages } from '../instants-between.ts'
import type { Context, Job } from '../job.ts'
import { fillOldLedger, NEEDED, PRESENT } from '../old-ledger.ts'
import { SluiceRun } from '../sluice.ts'
import { alone } from '../stored.ts'
import { WatchedProxy } from '../watched-proxy.ts'

/**
 * `sluice prune` on a large and old ledger, killed once between any two messages that the server acts upon: what a
 * cursor, a chain, an open reject or an open reading needs is there, nothing is gone that stays in the end, and the
 * next prune removes the rest.
 */
export async function prunes({ databases, random }: Context): Promise<Job[]> {
  const ledgers = await databases.copiesOf(fillOldLedger)
  const { left, messages } = await measured(ledgers)
  return instantsBetween(messages, random).map((instant) => ({
    driver: 'prune',
    name: `prune killed ${instant.when} message ${instant.n} (${instant.name})`,
    write: 'merge',
    run: async () => {
      await using rig = await PruneRig.open(ledgers)
      const needed = await rig.list(NEEDED)
      await rig.proxy.killAt(instant, rig.start)
      await alone(rig.direct)
      await rig.has(needed, 'after the kill, a row that is needed has gone')
      await rig.has(left, 'after the kill, a row has gone that a prune leaves')
      await rig.prune()
      await rig.has(needed, 'after the next prune, a row that is needed has gone')
      const more = [...(await rig.list(PRESENT))].filter((row) => !left.has(row))
      if (more.length > 0) throw new BrokenPromise(`the next prune has left ${some(more)}`)
      await rig.has(left, 'after the next prune, a row has gone that a prune leaves')
      await rig.prunesNothing()
      return undefined
    },
  }))
}

/** A prune without a kill. */
async function measured(ledgers: Pick<Databases, 'create'>) {
  await using rig = await PruneRig.open(ledgers)
  const needed = await rig.list(NEEDED)
  const before = await rig.list(PRESENT)
  const messages = new SeenMessages()
  succeeded(await rig.start(rig.proxy.through(messages)).ended, 'prune without a kill')
  await rig.has(needed, 'after a prune, a row that is needed has gone')
  const left = await rig.list(PRESENT)
  if (left.size > before.size / 2)
    throw new BrokenPromise(`of ${before.size} rows, nearly all of them old, a prune has left ${left.size}`)
  await rig.prunesNothing()
  return { left, messages: messages.all }
}

const some = (rows: readonly string[]): string => `${rows.length} rows (${rows.slice(0, 5).join(', ')})`

class PruneRig implements AsyncDisposable {
  readonly direct: Client
  readonly proxy: WatchedProxy
  readonly #url: string
  readonly #resources: AsyncDisposableStack

  private constructor(parts: { direct: Client; proxy: WatchedProxy; url: string }, resources: AsyncDisposableStack) {
    this.direct = parts.direct
    this.proxy = parts.proxy
    this.#url = parts.url
    this.#resources = resources
  }

  static async open(ledgers: Pick<Databases, 'create'>): Promise<PruneRig> {
    await using resources = new AsyncDisposableStack()
    const { url } = resources.use(await ledgers.create())
    const direct = resources.adopt(await connected(url), (client) => client.end())
    const proxy = resources.use(await WatchedProxy.open(url))
    return new PruneRig({ direct, proxy, url }, resources.move())
  }

  /** Starts `sluice prune`. */
  readonly start = (database: string): SluiceRun => {
    const run = new SluiceRun({ command: ['prune'], database, api: '', batchRows: 1 })
    this.#resources.defer(() => run.kill())
    return run
  }

  /** A prune that nothing happens to. */
  async prune(): Promise<PruneCounts> {
    await using database = await openDatabase({ url: this.#url })
    return await prune(database, RETENTION, { signal: AbortSignal.timeout(60_000) })
  }

  async prunesNothing(): Promise<void> {
    const { runs, slices, rejects, ticks } = await this.prune()
    if (runs + slices + rejects + ticks > 0)
      throw new BrokenPromise(`one more prune has removed ${runs} runs, ${slices} slices and ${rejects} rejects`)
  }

  /** Returns the names of the rows of the ledger that a query finds. */
  async list(query: string): Promise<ReadonlySet<string>> {
    const { rows } = await this.direct.query<{ name: string }>(query)
    return new Set(rows.map(({ name }) => name))
  }

  /** Throws unless all these rows are there. */
  async has(names: ReadonlySet<string>, problem: string): Promise<void> {
    const present = await this.list(PRESENT)
    const gone = [...names].filter((name) => !present.has(name))
    if (gone.length > 0) throw new BrokenPromise(`${problem}: ${some(gone)}`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#resources.disposeAsync()
  }
}
