import type { Pipeline } from '../define/pipeline.ts'
import { secretsIn } from '../define/secrets-in.ts'
import type { TaskGroup } from '../flow/task-group.ts'
import { withoutAccount } from '../model/account.ts'
import { UsageError } from '../model/errors.ts'
import type { Secrets } from '../model/scope.ts'
import { registerSecrets } from '../observe/known-secrets.ts'
import { environmentOf } from '../run/accounts/environment-of.ts'
import {
  liveAccountsOf,
  type AccountsProblem,
  type LiveAccounts,
  type LiveAccountsOptions,
} from '../run/accounts/live-accounts.ts'
import type { StatusFinding } from '../run/status/stream-status.ts'
import { messageOf } from '../value/error.ts'
import { Problem } from './response/problem.ts'

export interface ServedPipelinesOptions extends Omit<LiveAccountsOptions, 'register'> {
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Learns the secrets of accounts, so that no answer contains one. */
  readonly secrets: Secrets
}

/** The pipelines that a server has loaded: those without accounts as they are, and accounts as they come and go. */
export class ServedPipelines {
  readonly #byName: Map<string, Pipeline>
  readonly accounts: readonly LiveAccounts[]

  /** Throws if two pipelines have one name. */
  constructor(given: readonly Pipeline[], { secrets, ...options }: ServedPipelinesOptions) {
    const { environment } = options
    this.#byName = byName(given)
    learnSecrets(given, { environment, secrets })
    this.accounts = liveAccountsOf(given, {
      ...options,
      register: (name, value) => secrets.register?.(name, value),
    })
    for (const live of this.accounts) {
      let before = live.known.pipelines
      live.onRead(() => {
        const { pipelines } = live.known
        for (const { name } of before) if (!pipelines.some((one) => one.name === name)) this.#byName.delete(name)
        for (const pipeline of pipelines) this.#byName.set(pipeline.name, pipeline)
        learnSecrets(pipelines, { environment, secrets })
        before = pipelines
      })
    }
  }

  /** Pipelines by name, as `shops@north`: always those of now. */
  get byName(): ReadonlyMap<string, Pipeline> {
    return this.#byName
  }

  /** Reads the accounts again every minute. */
  keepFresh(group: TaskGroup): void {
    for (const live of this.accounts) group.spawn((signal) => live.keepFresh(signal))
  }

  /**
   * Returns a pipeline to run it: that of an account with the values that it has now. Undefined if there is none of
   * that name. Throws a `Problem` if its accounts cannot be read.
   */
  async find(name: string, signal: AbortSignal): Promise<Pipeline | undefined> {
    const base = withoutAccount(name)
    const live = base === name ? undefined : this.accounts.find(({ definition }) => definition.name === base)
    const { failed } = (await live?.read(signal).catch((cause: unknown) => {
      signal.throwIfAborted()
      const problem = `the accounts of ${base} cannot be read: ${messageOf(cause)}`
      throw new Problem(503, problem, 'make them readable, then start the run again', { cause })
    })) ?? { failed: [] }
    const error = failed.find(({ pipeline }) => pipeline === name)
    if (error) throw new Problem(409, error.message, 'correct the account, then start the run again', { cause: error })
    return this.#byName.get(name)
  }

  /** Returns what is wrong with the accounts themselves, for `shops@north`: one that cannot run, or all of them. */
  findings(): StatusFinding[] {
    return this.accounts.flatMap((live) => {
      const { pipelines, failed } = live.known
      const { problem } = live
      return [
        ...failed.map(({ pipeline, message }) => finding(pipeline, message)),
        ...(problem ? pipelines.map(({ name }) => finding(name, unreadableText(problem))) : []),
      ]
    })
  }
}

const finding = (pipeline: string, message: string): StatusFinding => ({
  kind: 'account',
  isFault: true,
  pipeline,
  message,
})

const unreadableText = ({ message, since }: AccountsProblem): string =>
  `since ${since.toISOString()} its accounts cannot be read, and its runs fail until they can be: ${message}`

function byName(given: readonly Pipeline[]): Map<string, Pipeline> {
  const pipelines = new Map(given.map((pipeline) => [pipeline.name, pipeline]))
  const twice = given.find((pipeline) => pipelines.get(pipeline.name) !== pipeline)
  if (twice) throw new UsageError(`Two pipelines are named '${twice.name}' and would share their cursors: rename one`)
  return pipelines
}

/** Registers the secrets of accounts and streams. The run that needs a missing one reports it. */
function learnSecrets(
  given: readonly Pipeline[],
  { environment: all, secrets }: Pick<ServedPipelinesOptions, 'environment' | 'secrets'>,
): void {
  for (const pipeline of given) {
    if (pipeline.account) registerSecrets(secrets, environmentOf(pipeline, {}))
    const environment = environmentOf(pipeline, all)
    for (const name of Object.values(pipeline.streams).flatMap(({ recipe }) => secretsIn(recipe))) {
      const value = environment[name]
      if (value) secrets.register?.(name, value)
    }
  }
}
