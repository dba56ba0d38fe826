// The first page of a stream, read as a run reads it, by one request.
import type { Completeness } from '../../model/completeness.ts'
import type { Grant } from '../../model/grant.ts'
import { isMerged, type HttpSource, type Recipe, type Table } from '../../model/recipe.ts'
import type { Api, ApiResponse, PageRequest } from '../../model/request.ts'
import type { DecodedResponse, Scope } from '../../model/scope.ts'
import type { EndpointSeen } from '../../model/slice.ts'
import { stepRange } from '../../source/cursor/range.ts'
import { readHttp } from '../../source/read-http.ts'
import { selectRecords } from '../../source/select-records.ts'
import { withWholeUrl } from './shown-request.ts'

export interface FirstPage {
  readonly request: PageRequest
  /** With all records of the page. */
  readonly response: ApiResponse<unknown>
  /** The records that the run would read of it: those in the range. */
  readonly records: readonly unknown[]
  /** The request for the next page, undefined if this is the only page. */
  readonly next: PageRequest | undefined
  /** Of a reading that would end with this page; absent if it goes on. */
  readonly completeness: Completeness | undefined
  /** What the answer says of the credentials. */
  readonly grant: Grant | undefined
  /** Warnings that a run would give. */
  readonly warnings: readonly string[]
}

export interface FirstPageOptions {
  readonly source: HttpSource
  readonly recipe: Pick<Recipe, 'incremental' | 'stages'>
  readonly table: Table
  /** Endpoints that have led to a next page in an earlier run. */
  readonly endpoints: Map<string, EndpointSeen>
}

/** Reads the first page by the reader of a run, which decides what comes next and how complete the reading is. */
export async function readFirstPage(
  { source, recipe: { incremental, stages }, table, endpoints }: FirstPageOptions,
  scope: Scope,
): Promise<FirstPage> {
  const sent: PageRequest[] = []
  let received: DecodedResponse | undefined
  let grant: Grant | undefined
  const setGrant = (given: Grant | undefined): void => {
    grant = given
  }
  const warnings: string[] = []
  const once: Scope = {
    ...scope,
    memory: scope.memory.child(() => true),
    emit: (event) => {
      if (event.type === 'warning') warnings.push(event.message)
      scope.emit(event)
    },
    client: (api) => ({
      send: async (request, options) => {
        if (sent.push(request) > 1) throw new Error('a check requests the first page only')
        received = await scope.client(api).send(request, { ...options, onGrant: setGrant })
        return received
      },
    }),
  }
  const slice = {
    position: null,
    ...stepRange(incremental, undefined, { now: scope.now() }),
    restart: table.key.length > 0 ? 'page' : 'slice',
    isMerged: isMerged(table),
    startedAt: scope.now(),
    endpoints,
    // A stage may make the key, and then the source's records do not have it.
    ...(table.key.length > 0 && { key: stages.length === 0 ? table.key : [] }),
  } as const
  for await (const page of namingUrl(readHttp(source, incremental, slice, once), source.api, sent)) {
    page.hold?.[Symbol.dispose]()
    const [request, next] = sent
    if (!request || !received) break
    const isEmpty = received.rule !== undefined || received.status === 204
    return {
      request,
      response: { ...received, records: isEmpty ? [] : selectRecords(source, received.body) },
      records: page.records,
      next,
      completeness: page.completeness,
      grant,
      warnings,
    }
  }
  throw new Error('the source has read no page')
}

/** Reads pages. An error names the first request by its whole URL: `check` is where a wrong base has to be seen. */
async function* namingUrl<Page>(
  pages: AsyncIterable<Page>,
  api: Api,
  sent: readonly PageRequest[],
): AsyncGenerator<Page> {
  try {
    yield* pages
  } catch (error) {
    const [request] = sent
    if (request && Error.isError(error)) error.message = withWholeUrl(error.message, request, api)
    throw error
  }
}
