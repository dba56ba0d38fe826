// Looks at everything that a project, its database and its ledger need, and says what to do. Reads only.
import type { Database } from '../../database/database.ts'
import { readSchemaState, type SchemaState } from '../../database/migrate.ts'
import { asCompleted } from '../../flow/as-completed.ts'
import { TimeoutError, withTimeout } from '../../flow/signals/timeout.ts'
import { readSecrets } from '../../observe/secrets.ts'
import { durationText } from '../../value/duration.ts'
import { defined } from '../../value/defined.ts'
import { environmentOf } from '../accounts/environment-of.ts'
import { faultOf } from '../check/finding.ts'
import type { FoundPipeline } from '../find-pipelines.ts'
import { openStoreToRead } from '../open-store.ts'
import { DATABASE_CHECKS, LEDGER_CHECKS } from './database-checks.ts'
import { PROJECT_CHECKS } from './project-checks.ts'
import { note, ok, problem, type CheckContext, type DoctorCheck, type DoctorFinding } from './doctor-finding.ts'

export interface DoctorOptions {
  readonly database?: string | undefined
  readonly environment?: Readonly<Record<string, string | undefined>>
  /** The clock of this machine, in milliseconds since 1970. @default Date.now */
  readonly now?: () => number
  /** Limit of each check. @default 10_000 */
  readonly limitMs?: number
  readonly signal: AbortSignal
}

/** A server may be starting, such as the embedded one. */
const CONNECT_MS = 60_000
const LIMIT_MS = 10_000
/** Each check waits for a connection within its own limit. */
const CONNECTIONS = 4

const tooLong = (ms: number): string =>
  `it took longer than ${durationText(ms)}, and was given up. The server is busy, or a lock is held: ` +
  'select pid, state, wait_event, query from pg_stat_activity'

/**
 * Yields what all checks have found, each check's findings as soon as it is done. A check that fails, or takes longer
 * than its limit, is a problem, and the others go on.
 */
export async function* examine(
  found: readonly FoundPipeline[],
  options: DoctorOptions,
): AsyncGenerator<DoctorFinding, void, undefined> {
  const { signal, now = Date.now, limitMs = LIMIT_MS } = options
  // The variables of accounts have different names, so one environment has all of them.
  const environment = found.reduce<Readonly<Record<string, string | undefined>>>(
    (all, { pipeline }) => environmentOf(pipeline, all),
    options.environment ?? process.env,
  )
  const secrets = readSecrets(environment)
  const base = { found, environment, secrets, now }
  const textOf = (location: string, error: unknown): string => faultOf(location, { secrets }, error).text
  /** Runs checks at once. */
  const run = async function* <Context>(
    checks: readonly DoctorCheck<Context>[],
    context: Context,
  ): AsyncGenerator<DoctorFinding, void, undefined> {
    const looking = checks.map(async ({ name, look }): Promise<readonly DoctorFinding[]> => {
      try {
        const said = await withTimeout(limitMs, (limited) => look(context, limited), { signal })
        return said.map((one) => ({ check: name, ...one, text: secrets.hide(one.text) }))
      } catch (error) {
        signal.throwIfAborted()
        return [{ check: name, ...problem(error instanceof TimeoutError ? tooLong(limitMs) : textOf(name, error)) }]
      }
    })
    for await (const findings of asCompleted(looking)) yield* findings
  }

  yield* run(PROJECT_CHECKS, base)
  const opened = await openDatabase({ ...options, environment })
  if ('finding' in opened) return yield opened.finding
  await using store = opened
  const { database, state } = store
  const context: CheckContext = { ...base, database, state }
  yield* run(DATABASE_CHECKS, context)
  if (state === 'current') yield* run(LEDGER_CHECKS, context)
  else if (state === 'old')
    yield {
      check: 'ledger',
      ...note('it is of an older version, and was not looked at. Run sluice migrate, then sluice doctor'),
    }

  async function openDatabase({ database: url, environment }: DoctorOptions): Promise<Opened> {
    try {
      const open = async (limited: AbortSignal) =>
        openStoreToRead({ database: url, ...defined({ environment }), max: CONNECTIONS, signal: limited })
      const store = await withTimeout(CONNECT_MS, open, { what: 'Connecting', signal })
      if (!store)
        return { finding: { check: 'database', ...ok('there is none yet; the first run creates it in .sluice/') } }
      // What is wrong with the schema is found by a check.
      const state = await readSchemaState(store.database, { signal }).catch(() => 'missing' as const)
      return { database: store.database, state, [Symbol.asyncDispose]: () => store[Symbol.asyncDispose]() }
    } catch (error) {
      signal.throwIfAborted()
      return { finding: { check: 'database', ...problem(textOf('database', error)) } }
    }
  }
}

type Opened =
  | ({ readonly database: Database; readonly state: SchemaState } & AsyncDisposable)
  | { readonly finding: DoctorFinding }
