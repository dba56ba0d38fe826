import type { Pipeline } from '../define/pipeline.ts'
import { rejectRenamedWords } from '../define/renamed-words.ts'
import type { Duration } from '../model/request.ts'

export interface ServeOptions {
  /** 0 takes any that is free. @default 8420 */
  readonly port?: number
  /** Others than this machine's own need a `token`. @default '127.0.0.1' */
  readonly host?: string
  /**
   * At least 16 characters, which every request has to bring: `Authorization: Bearer …`, or the cookie that a browser
   * gets for it. @default none
   */
  readonly token?: string | undefined
  /**
   * Names by which others reach it, beside the machine's own: any other `Host` is refused, since a page elsewhere may
   * have pointed its name at us.
   */
  readonly allowedHosts?: readonly string[]
  /** Where the tables are, as `postgres://…`. @default DATABASE_URL, else an embedded PostgreSQL kept in `.sluice/` */
  readonly database?: string | undefined
  /** Where secrets and settings are looked up. @default process.env */
  readonly environment?: Readonly<Record<string, string | undefined>>
  /** Run the pipelines that have a schedule as well, in the same task group. @default false */
  readonly schedule?: boolean
  /** Runs that requests may have started at once. @default 8 */
  readonly maxRuns?: number
  /** Disconnects a client of the events that reads nothing for this long; the client can resume. @default '10s' */
  readonly clientTimeout?: Duration
  /** Called with what fails behind an answer; it must not throw. */
  readonly onError?: (error: unknown) => void
  /** Ends the server, everything that it answers and every run that it has started, within 5 s. */
  readonly signal?: AbortSignal | undefined
}

/** A server that listens. `await using server = await serve(…)` ends it at the end of the block. */
export interface Server extends AsyncDisposable {
  /** Where it listens, as `http://127.0.0.1:8420`. */
  readonly url: string
  /**
   * When it has ended, and all that it had started; rejects with what ended it, where that was neither the signal nor
   * its holder.
   */
  readonly ended: Promise<void>
}

const RENAMED_OPTIONS: Readonly<Record<string, keyof ServeOptions>> = {
  hosts: 'allowedHosts',
  runs: 'maxRuns',
  patience: 'clientTimeout',
  failed: 'onError',
}

/**
 * Show what runs and what has run, by JSON, events and a page, and start, cancel and repeat runs when asked to. It
 * reads the ledger, so what cron started is seen too. Answers when it listens.
 *
 * @example
 * await using server = await serve([billing, forum], { port: 8420, signal })
 * console.log(server.url)
 * await server.ended
 */
export async function serve(pipelines: Pipeline | readonly Pipeline[], options: ServeOptions = {}): Promise<Server> {
  rejectRenamedWords('serve()', options, RENAMED_OPTIONS)
  // What it is made of is loaded now: who only imports `run` has no use for it.
  const { openServer } = await import('./open-server.ts')
  return openServer('streams' in pipelines ? [pipelines] : pipelines, options)
}
