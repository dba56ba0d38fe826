import type { AccountsPipeline, Pipeline } from '../define/pipeline.ts'
import { rejectRenamedWords } from '../define/renamed-words.ts'
import { rejectUnknownOptions, type OptionNames } from '../model/unknown-option.ts'
import type { AccountsChange } from '../run/accounts/live-accounts.ts'
import type { DurationText } from '../value/duration.ts'

/** Options of `serve()`. */
export interface ServeOptions {
  /** 0: any free port. @default 8420 */
  readonly port?: number
  /** A host that other machines can reach needs a `token`. @default '127.0.0.1' */
  readonly host?: string
  /**
   * A secret of at least 16 characters that every request has to send: as `Authorization: Bearer …`, or as the cookie
   * that a browser gets after its login. @default none
   */
  readonly token?: string | undefined
  /**
   * Further names by which clients reach the server. Any other `Host` is rejected: DNS could point the name of a
   * malicious page at this machine.
   */
  readonly allowedHosts?: readonly string[]
  /** A `postgres://…` URL. @default DATABASE_URL, else an embedded PostgreSQL kept in `.sluice/` */
  readonly database?: string | undefined
  /** Variables with secrets and settings. @default process.env */
  readonly environment?: Readonly<Record<string, string | undefined>>
  /** Also runs the pipelines that have a schedule. @default false */
  readonly schedule?: boolean
  /**
   * Hands runs and backfills that requests start to workers (`sluice worker`), and with `schedule` those that are due.
   * As long as no worker is alive that has the pipeline in this version, the server reads it itself. @default false
   */
  readonly distribute?: boolean
  /** Limit of runs under way that requests have started. @default 8 */
  readonly maxRuns?: number
  /** Disconnects a client of the events that reads nothing for this long; the client can resume. @default '10s' */
  readonly clientTimeout?: DurationText
  /** Called with errors that no answer reports; it must not throw. */
  readonly onError?: (error: unknown) => void
  /** Called when accounts of a pipeline were added or removed since the server started; it must not throw. */
  readonly onAccounts?: (change: AccountsChange) => void
  /** Closes the server, its answers and the runs that it started, within 5 s. */
  readonly signal?: AbortSignal | undefined
}

/** A server that listens. `await using server = await serve(…)` closes it at the end of the block. */
export interface Server extends AsyncDisposable {
  /** The address of the server, as `http://127.0.0.1:8420`. */
  readonly url: string
  /** Resolves when the server and its runs have ended; rejects if an error ended them. */
  readonly ended: Promise<void>
}

const RENAMED_OPTIONS: Readonly<Record<string, keyof ServeOptions>> = {
  hosts: 'allowedHosts',
  runs: 'maxRuns',
  patience: 'clientTimeout',
  failed: 'onError',
}

const OPTIONS: OptionNames<ServeOptions> = {
  port: true,
  host: true,
  token: true,
  allowedHosts: true,
  database: true,
  environment: true,
  schedule: true,
  distribute: true,
  maxRuns: true,
  clientTimeout: true,
  onError: true,
  onAccounts: true,
  signal: true,
}

/**
 * Starts a server that shows runs as JSON, events and a page, and that starts, cancels and repeats runs. It reads the
 * ledger, so it also shows runs that other processes started. Resolves when the server listens.
 *
 * @example
 * await using server = await serve([billing, forum], { port: 8420, signal })
 * console.log(server.url)
 * await server.ended
 */
export async function serve(
  pipelines: Pipeline | AccountsPipeline | readonly (Pipeline | AccountsPipeline)[],
  options: ServeOptions = {},
): Promise<Server> {
  rejectRenamedWords('serve()', options, RENAMED_OPTIONS)
  rejectUnknownOptions('serve()', options, OPTIONS)
  // Loaded on demand: a program that only runs pipelines does not load the web server.
  const { openServer } = await import('./open-server.ts')
  return openServer('streams' in pipelines ? [pipelines] : pipelines, options)
}
