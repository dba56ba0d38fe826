import type { Database } from '../../database/database.ts'
import { readSchemaState } from '../../database/migrate.ts'
import type { Pipeline } from '../../define/pipeline.ts'
import { storedTokens } from '../../ledger/credentials.ts'
import { LeaseKeeper } from '../../ledger/lease/lease-keeper.ts'
import { sharedRates } from '../../ledger/shared-rates.ts'
import { readWaysOn } from '../../ledger/ways-on.ts'
import { UsageError } from '../../model/errors.ts'
import type { RunEvent } from '../../model/event.ts'
import type { Scope, Secrets } from '../../model/scope.ts'
import { readSecrets } from '../../observe/secrets.ts'
import { definitionHash } from '../../read/definition-hash.ts'
import { openScope } from '../../read/open-scope.ts'
import { movedList, type MovedList } from '../../read/read-steps.ts'
import { environmentOf } from '../accounts/environment-of.ts'
import { requireSecrets } from '../chosen-streams.ts'
import { openStoreToRead } from '../open-store.ts'
import type { RunOptions } from '../options.ts'
import { storedCursors } from '../stored-cursors.ts'

export interface OpenReadingOptions extends Pick<RunOptions, 'database' | 'environment' | 'signal'> {
  /** The streams whose secrets have to be set. */
  readonly streams: readonly string[]
  /** Requests count in the budgets that all processes share. @default false: in those of this process */
  readonly sharesRates?: boolean
}

/** What is needed to read streams as a run does, without a run in the ledger. */
export interface Reading extends AsyncDisposable {
  readonly database: Database
  readonly secrets: Secrets
  readonly signal: AbortSignal
  /** The cursor of a stream as it was when this was opened. */
  readonly cursorOf: (stream: string) => string | undefined
  /** Returns the scope of a stream. `onEvent` receives its events. */
  readonly scope: (stream: string, onEvent: (event: RunEvent) => void) => Scope
  /** Returns what earlier readings of a stream have shown of its list. */
  readonly movedList: (stream: string) => Promise<MovedList>
}

/** Connects to the database as it is. Neither cursors nor slices are touched. Throws if there is no database yet. */
export async function openReading(pipeline: Pipeline, options: OpenReadingOptions): Promise<Reading> {
  const { streams, sharesRates = false, signal = new AbortController().signal } = options
  const environment = environmentOf(pipeline, options.environment)
  const secrets = readSecrets(environment)
  requireSecrets(pipeline, streams, secrets)
  await using opened = new AsyncDisposableStack()
  const store = await openStoreToRead({ database: options.database, environment, signal })
  if (!store)
    throw new UsageError(
      `${pipeline.name}: there is no database yet, so there is nothing to compare with. ` +
        `Set DATABASE_URL, or store rows first: sluice run ${pipeline.name}`,
    )
  const { database } = opened.use(store)
  const isCurrent = (await readSchemaState(database, { signal })) === 'current'
  const cursors = await storedCursors(database, pipeline.name)
  const keeper = sharesRates && isCurrent ? opened.use(await LeaseKeeper.open(database, { signal })) : undefined
  const listeners = new Map<string, (event: RunEvent) => void>()
  const scope = opened.use(
    openScope({
      signal,
      secrets,
      account: pipeline.account,
      rates: keeper && sharedRates(database, { keeper }),
      tokens: storedTokens({ database: async () => database, secrets }),
      emit: (event) => {
        if ('stream' in event && event.stream !== undefined) listeners.get(event.stream)?.(event)
      },
    }),
  )
  const kept = opened.move()
  return {
    database,
    secrets,
    signal,
    cursorOf: (stream) => cursors.get(stream),
    scope: (stream, onEvent) => {
      listeners.set(stream, onEvent)
      return { ...scope, stream }
    },
    movedList: async (stream) => {
      const flow = pipeline.streams[stream]
      if (!flow) throw new UsageError(`${pipeline.name} has no stream '${stream}'`)
      const { recipe, table } = flow
      const definition = definitionHash(recipe, table)
      const name = { pipeline: pipeline.name, stream, definition }
      const known = isCurrent ? await readWaysOn(database, name, signal) : []
      return {
        ...movedList(table),
        endpoints: new Map(known.map((endpoint) => [endpoint, { hasWayOn: true, largestPage: 0 }])),
      }
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  }
}
