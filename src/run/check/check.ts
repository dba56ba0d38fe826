import type { Database } from '../../database/database.ts'
import { findBinaries } from '../../database/embedded/binaries.ts'
import { readSchemaState, type SchemaState } from '../../database/migrate.ts'
import { gather } from '../../flow/gather.ts'
import { storedTokens } from '../../ledger/credentials.ts'
import { readWaysOn } from '../../ledger/ways-on.ts'
import type { Recipe, Table } from '../../model/recipe.ts'
import type { Api } from '../../model/request.ts'
import type { Scope, Secrets } from '../../model/scope.ts'
import type { TokenStore } from '../../model/tokens.ts'
import { readSecrets } from '../../observe/secrets.ts'
import { definitionHash } from '../../read/definition-hash.ts'
import { openScope } from '../../read/open-scope.ts'
import { defined } from '../../value/defined.ts'
import type { FoundPipeline } from '../find-pipelines.ts'
import { environmentOf } from '../accounts/environment-of.ts'
import { openStoreToRead } from '../open-store.ts'
import { schemasOf } from '../schema-right.ts'
import { cursorChange } from '../cursor-change.ts'
import { checkDatabase } from './check-database.ts'
import { checkLists } from './check-lists.ts'
import { missingSecrets } from './check-secrets.ts'
import { checkSource, type CheckedSource } from './check-source.ts'
import { checkTable } from './check-table.ts'
import { advice, faultOf, findingsOf, problem, type Finding } from './finding.ts'

export type { Finding } from './finding.ts'

export interface CheckOptions {
  readonly database?: string | undefined
  readonly environment?: Readonly<Record<string, string | undefined>>
  /** Sends no request. @default false */
  readonly offline?: boolean
  readonly signal: AbortSignal
}

/**
 * Checks the secrets, the APIs, the database and the tables of pipelines. Sends one request for each stream, for its
 * first page. Writes nothing.
 */
export async function checkPipelines(found: readonly FoundPipeline[], options: CheckOptions): Promise<Finding[]> {
  const { signal, offline = false } = options
  const streams = found.flatMap(({ pipeline, streams }) =>
    Object.entries(pipeline.streams)
      .filter(([name]) => !streams || streams.includes(name))
      .map(([stream, { recipe, table }]) => ({
        location: `${pipeline.name}.${stream}`,
        pipeline: pipeline.name,
        stream,
        recipe,
        table,
      })),
  )
  // The variables of accounts have different names, so one environment has all of them.
  const environment = found.reduce<NonNullable<CheckOptions['environment']>>(
    (all, { pipeline }) => environmentOf(pipeline, all),
    options.environment ?? process.env,
  )
  const secrets = readSecrets(environment)
  await using store = await openLedger(options, secrets)
  await using scope = openScope({ signal, secrets, tokens: tokensOf(store, secrets) })
  const once = withoutRetries()
  const missing = missingSecrets(streams, secrets)
  const checks = streams.map((stream) => {
    let rows: readonly unknown[] | undefined
    const options = { ...stream, once, offline, waysOn: () => waysOn(store, stream, signal) }
    const look = async (): Promise<CheckedSource> => {
      const checked = await checkSource(options, scope)
      rows = checked.rows
      return checked
    }
    const findings = missing.stopped.has(stream.location)
      ? Promise.resolve([])
      : findingsOf(stream.location, scope, look)
    const rowsOf = findings.then(
      () => rows,
      () => undefined,
    )
    return { findings, table: { ...stream, rows: rowsOf } }
  })
  const [asked, stored] = await gather(
    Promise.all(checks.map(({ findings }) => findings)),
    checkStore(
      store,
      checks.map(({ table }) => table),
      scope,
    ),
  )
  return [...missing.findings, ...asked.flat(), ...stored]
}

interface CheckedStream {
  readonly location: string
  readonly pipeline: string
  readonly stream: string
  readonly recipe: Recipe
  readonly table: Table
}

interface CheckedTable extends CheckedStream {
  /** Rows of the first page, once it was requested. */
  readonly rows: Promise<readonly unknown[] | undefined>
}

/** Returns a function that turns off the retries of an API. Streams of one API share its copy, and so its limits. */
function withoutRetries(): (api: Api) => Api {
  const apis = new Map<Api, Api>()
  return (api) => {
    const known = apis.get(api) ?? { ...api, attempts: 1 }
    apis.set(api, known)
    return known
  }
}

/** The database and the state of its ledger, or why there is none. */
interface Ledger extends AsyncDisposable {
  readonly database?: Database
  readonly state: SchemaState
  readonly fault?: Finding
}

/** Returns the refresh tokens of the ledger; none if a run has to make or update it first. */
const tokensOf = ({ database, state }: Ledger, secrets: Secrets): TokenStore | undefined =>
  database && state === 'current' ? storedTokens({ database: async () => database, secrets }) : undefined

/** Connects to the database. An error is a finding, so that the sources are checked in any case. */
async function openLedger({ database, environment, signal }: CheckOptions, secrets: Secrets): Promise<Ledger> {
  try {
    const store = await openStoreToRead({ database, ...defined({ environment }), signal })
    if (!store) return { state: 'missing', [Symbol.asyncDispose]: async () => {} }
    const state = await readSchemaState(store.database, { signal }).catch(() => 'missing' as const)
    return { database: store.database, state, [Symbol.asyncDispose]: () => store[Symbol.asyncDispose]() }
  } catch (error) {
    signal.throwIfAborted()
    return { state: 'missing', fault: faultOf('database', { secrets }, error), [Symbol.asyncDispose]: async () => {} }
  }
}

/** Returns the endpoints that have led to a next page in an earlier run. */
async function waysOn(
  { database, state }: Ledger,
  { recipe, table, pipeline, stream }: CheckedStream,
  signal: AbortSignal,
): Promise<readonly string[]> {
  if (!database || state !== 'current') return []
  return readWaysOn(database, { pipeline, stream, definition: definitionHash(recipe, table) }, signal).catch(() => [])
}

/** Checks the database, then each table. */
async function checkStore(
  { database, state: ledger, fault }: Ledger,
  streams: readonly CheckedTable[],
  scope: Scope,
): Promise<Finding[]> {
  const location = 'database'
  if (fault) return [fault]
  if (!database) {
    const { version } = await findBinaries()
    return [{ location, isFault: false, text: `embedded PostgreSQL ${version}; the first run creates it in .sluice/` }]
  }
  const schemas = schemasOf(streams.map(({ table }) => table))
  const first = await findingsOf(location, scope, async () => ({ text: await checkDatabase(database, schemas) }))
  if (first.some(({ isFault }) => isFault)) return first
  const cursors = ledger === 'current' ? streams.map((stream) => cursorFindings(database, stream, scope)) : []
  const tables = streams.map(async ({ location: name, rows, ...stream }) => {
    const announces = stream.recipe.stages.some(({ type }) => type === 'deleted')
    const check = { ...stream, announces, ledger, rows: await rows }
    const own = await findingsOf(`${name} -> ${stream.table.name}`, scope, () => checkTable(database, check))
    return stream.table.children ? [...own, ...(await checkLists(database, check, { location: name, scope }))] : own
  })
  return [...first, ...(await Promise.all([...cursors, ...tables])).flat()]
}

/** Returns what a run would say of a definition that has changed since the cursor was stored. */
async function cursorFindings(database: Database, stream: CheckedStream, scope: Scope): Promise<Finding[]> {
  const [, ...findings] = await findingsOf(stream.location, scope, async () => {
    const change = await cursorChange(database.with({ signal: scope.signal }), stream)
    const remark = change?.isOtherField ? problem : advice
    return { text: '', remarks: change ? [remark(change.text)] : [] }
  })
  return findings
}
