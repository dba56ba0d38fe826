import type { Database } from '../../database/database.ts'
import { findBinaries } from '../../database/embedded/binaries.ts'
import { openScope } from '../../read/open-scope.ts'
import { secretsIn } from '../../define/secrets-in.ts'
import { readSchemaState } from '../../database/migrate.ts'
import type { HttpSource, Recipe, Table } from '../../model/recipe.ts'
import type { Api } from '../../model/request.ts'
import type { Scope } from '../../model/scope.ts'
import { defined } from '../../value/defined.ts'
import { formatCount } from '../../value/format.ts'
import { readSecrets } from '../../observe/secrets.ts'
import { firstRows } from './first-rows.ts'
import { checkFaults } from '../../source/body-faults.ts'
import { firstRequest } from '../../source/first-request.ts'
import { requestOptions } from '../../source/request-options.ts'
import { selectRecords } from '../../source/select-records.ts'
import { checkTable } from './check-table.ts'
import { problemText } from '../report/problem-text.ts'
import type { FoundPipeline } from '../find-pipelines.ts'
import { openStoreToRead } from '../open-store.ts'

/** The result of one check. */
export interface Finding {
  /** The stream, the table or the database. */
  readonly location: string
  readonly isFault: boolean
  /** The result. For a fault: the problem and the remedy. */
  readonly text: string
}

export interface CheckOptions {
  readonly database?: string | undefined
  readonly environment?: Readonly<Record<string, string | undefined>>
  /** Sends no request. @default false */
  readonly offline?: boolean
  readonly signal: AbortSignal
}

/**
 * Checks the secrets, the APIs, the database and the tables of pipelines at once. Sends one request for each stream,
 * for its first page. Writes nothing.
 */
export async function checkPipelines(found: readonly FoundPipeline[], options: CheckOptions): Promise<Finding[]> {
  const streams = found.flatMap(({ pipeline, streams }) =>
    Object.entries(pipeline.streams)
      .filter(([name]) => !streams || streams.includes(name))
      .map(([name, { recipe, table }]) => ({
        location: `${pipeline.name}.${name}`,
        pipeline: pipeline.name,
        stream: name,
        recipe,
        table,
      })),
  )
  const secrets = readSecrets(options.environment ?? process.env)
  await using scope = openScope({ signal: options.signal, secrets })
  const once = withoutRetries()
  const sources = streams.map(({ location, recipe }) => {
    const check = checkSource(recipe, { ...scope, stream: location }, once, options.offline ?? false)
    return {
      finding: attempt(location, scope, async () => (await check).text),
      rows: check.then(
        (checked) => checked.rows,
        () => undefined,
      ),
    }
  })
  const tables = streams.map((stream, index) => ({ ...stream, rows: sources[index]?.rows }))
  const [asked, stored] = await Promise.all([
    Promise.all(sources.map(({ finding }) => finding)),
    checkStore(tables, options, scope),
  ])
  return [...asked, ...stored]
}

interface CheckedTable {
  readonly location: string
  readonly pipeline: string
  readonly stream: string
  readonly table: Table
  /** Rows of the first page, once it was requested. */
  readonly rows: Promise<readonly unknown[] | undefined> | undefined
}

interface CheckedSource {
  readonly text: string
  /** The rows that a run would make of the first page. Undefined if they are not known. */
  readonly rows?: readonly unknown[] | undefined
}

async function attempt(
  location: string,
  { secrets, signal }: Pick<Scope, 'secrets' | 'signal'>,
  look: () => Promise<string>,
): Promise<Finding> {
  try {
    return { location, isFault: false, text: await look() }
  } catch (error) {
    signal.throwIfAborted()
    const text = secrets.hide(problemText(error, location))
    return { location, isFault: true, text: text.startsWith(`${location}: `) ? text.slice(location.length + 2) : text }
  }
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

async function checkSource(
  recipe: Recipe,
  scope: Scope,
  once: (api: Api) => Api,
  offline: boolean,
): Promise<CheckedSource> {
  const { source, incremental } = recipe
  for (const name of secretsIn(recipe)) scope.secrets.value(name)
  if ('read' in source) return { text: 'a custom source, which is not read' }
  if (offline)
    return { text: secretsIn(recipe).length > 0 ? `${secretsIn(recipe).join(' and ')} is set` : 'it needs no secret' }
  const { request, records } = await firstPage(source, incremental?.unit, scope, once)
  return {
    text: `${request} answered ${formatCount(records.length, 'record')} on its first page`,
    rows: await firstRows(recipe, records, scope),
  }
}

async function firstPage(
  source: HttpSource,
  unit: 's' | 'ms' | undefined,
  scope: Scope,
  once: (api: Api) => Api,
): Promise<{ readonly request: string; readonly records: readonly unknown[] }> {
  const { request, paging, api } = source
  const asked = firstRequest(request, paging, {}, unit)
  const { body, hold, status, rule, faults } = await scope.client(once(api)).send(asked, {
    signal: scope.signal,
    memory: scope.memory.child(() => true),
    acceptFaults: true,
    ...requestOptions(request),
    ...defined({ stream: scope.stream }),
  })
  hold[Symbol.dispose]()
  const isEmpty = status === 204 || rule !== undefined
  const records = isEmpty ? [] : selectRecords(source, body)
  if (faults) checkFaults(faults, records)
  return {
    request: `${asked.method} ${new URL(api.base).host}${asked.url.split(/[?#]/)[0]}`,
    records,
  }
}

/** Checks the database, then each table. */
async function checkStore(
  streams: readonly CheckedTable[],
  { database, environment, signal }: CheckOptions,
  scope: Scope,
): Promise<Finding[]> {
  const location = 'database'
  try {
    await using store = await openStoreToRead({ database, ...(environment && { environment }), signal })
    if (!store) {
      const { version } = await findBinaries()
      return [
        { location, isFault: false, text: `embedded PostgreSQL ${version}; the first run creates it in .sluice/` },
      ]
    }
    const { database: found } = store
    const ledger = await readSchemaState(found, { signal }).catch(() => 'missing' as const)
    const first = await attempt(location, scope, () => checkDatabase(found))
    if (first.isFault) return [first]
    return [
      first,
      ...(await Promise.all(
        streams.map(({ location: name, rows, ...stream }) =>
          attempt(`${name} -> ${stream.table.name}`, scope, async () =>
            checkTable(found, { ...stream, ledger, rows: await rows }),
          ),
        ),
      )),
    ]
  } catch (error) {
    signal.throwIfAborted()
    return [{ location, isFault: true, text: scope.secrets.hide(problemText(error, location)) }]
  }
}

async function checkDatabase(database: Database): Promise<string> {
  // A transaction that may write: a standby refuses it with an error that has a remedy.
  await using transaction = await database.transaction()
  const { version, readonly, mayCreate } = await transaction.one<{
    version: string
    readonly: string
    mayCreate: boolean
  }>(
    `select current_setting('server_version') as version, current_setting('transaction_read_only') as readonly,
            has_database_privilege(current_database(), 'create') as "mayCreate"`,
  )
  if (readonly === 'on')
    throw new Error('it is read-only. Set DATABASE_URL to a server, a database and a user that may write')
  const state = await readSchemaState(database)
  if (state === 'missing' && !mayCreate)
    throw new Error(
      'the schema sluice does not exist, and this user may not create it. ' +
        'Let an administrator run: sluice migrate --grant USER',
    )
  const texts = { missing: 'the first run creates it', old: 'the next run updates it', current: 'up to date' }
  const schema = texts[state]
  return `${database.label}, PostgreSQL ${version}; schema sluice: ${schema}`
}
