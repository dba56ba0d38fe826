import type { Pipeline } from '../../define/pipeline.ts'
import { readSecrets } from '../../observe/secrets.ts'
import { messageOf } from '../../value/error.ts'
import { environmentOf } from '../accounts/environment-of.ts'
import type { LiveAccounts } from '../accounts/live-accounts.ts'
import { requireSecrets } from '../chosen-streams.ts'
import { ofQueue } from '../../ledger/work-queues.ts'
import { versionOf } from './piece.ts'
import type { LackedPipeline } from './worker-event.ts'

/** The definitions that a worker has now. Accounts may come and go. */
export class Definitions {
  readonly #alone: readonly Pipeline[]
  readonly #live: readonly LiveAccounts[]
  readonly #environment: Readonly<Record<string, string | undefined>>
  #byName: ReadonlyMap<string, Pipeline> = new Map()
  #lacked: readonly LackedPipeline[] = []

  constructor(
    alone: readonly Pipeline[],
    live: readonly LiveAccounts[],
    environment: Readonly<Record<string, string | undefined>>,
  ) {
    this.#alone = alone
    this.#live = live
    this.#environment = environment
    this.refresh()
  }

  /** Takes over the accounts as they were read last. Returns the pipelines that are lacked since. */
  refresh(): readonly LackedPipeline[] {
    const all = [...this.#alone, ...this.#live.flatMap(({ known }) => known.pipelines)]
    const lacked = all.flatMap((pipeline) => this.#lackOf(pipeline) ?? [])
    const before = new Set(this.#lacked.map(({ pipeline, reason }) => `${pipeline} ${reason}`))
    this.#lacked = lacked
    const has = all.filter(({ name }) => !lacked.some(({ pipeline }) => pipeline === name))
    this.#byName = new Map(has.map((pipeline) => [pipeline.name, pipeline]))
    return lacked.filter(({ pipeline, reason }) => !before.has(`${pipeline} ${reason}`))
  }

  get lacked(): readonly LackedPipeline[] {
    return this.#lacked
  }

  /** The version of each pipeline, by name. */
  get versions(): Record<string, string> {
    return Object.fromEntries([...this.#byName.values()].map((pipeline) => [pipeline.name, versionOf(pipeline)]))
  }

  /** Returns the pipeline of a queue; undefined if this worker does not have it in that version. */
  of(queue: string): Pipeline | undefined {
    const { pipeline: name, version } = ofQueue(queue)
    const pipeline = this.#byName.get(name)
    return pipeline && versionOf(pipeline) === version ? pipeline : undefined
  }

  #lackOf(pipeline: Pipeline): LackedPipeline | undefined {
    const secrets = readSecrets(environmentOf(pipeline, this.#environment))
    try {
      requireSecrets(pipeline, Object.keys(pipeline.streams), secrets)
      return undefined
    } catch (error) {
      return { pipeline: pipeline.name, reason: messageOf(error) }
    }
  }
}
