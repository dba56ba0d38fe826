import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { UsageError } from '../../model/errors.ts'
import { rejectUnknownOptions } from '../../model/unknown-option.ts'
import { messageOf } from '../../value/error.ts'
import { chooseFaults, type PlannedFault, type SeededFaults } from './faults.ts'
import { FakeList } from './fake-list.ts'
import { fakeRecords } from './fake-records.ts'
import type { FakeAnswer, FakeRequest } from './fake-request.ts'
import {
  LIST_OPTIONS,
  listSettings,
  type FakeListOptions,
  type FakeRecords,
  type ListSettings,
} from './list-options.ts'
import { FaultyList } from './faulty-list.ts'
import { sendAnswer } from './send-answer.ts'

/** Options of a fake API: one list, or several by their paths. */
export interface FakeApiOptions extends FakeListOptions {
  /** The path of the only list. `:name` stands for one segment. @default '/items'; for GraphQL '/graphql', and '/' */
  readonly path?: string
  /** Several lists, by their paths. @default the one that the other options describe */
  readonly lists?: Readonly<Record<string, FakeListOptions>>
  /** Faults by a seed, or of certain requests. @default none */
  readonly faults?: SeededFaults | readonly PlannedFault[]
  /** Milliseconds that the fault `slow` waits. @default 300 */
  readonly slowMs?: number
  /** The seed of generated records. @default 1 */
  readonly seed?: number
  /** Returns false for a request with wrong credentials: it gets status 401. @default all are accepted */
  readonly accepts?: (request: FakeRequest) => boolean
  /** Answers in place of a list, such as a request for a token. Without an answer the list is served. @default none */
  readonly answer?: (request: FakeRequest) => FakeAnswer | undefined | Promise<FakeAnswer | undefined>
}

/** A running fake API. Disposing stops it. */
export interface FakeApi extends AsyncDisposable {
  /** Its origin, such as `http://127.0.0.1:40123`. */
  readonly url: string
  /** All requests in the order of their arrival, with the fault that each one had. */
  readonly requests: readonly FakeRequest[]
  /** Returns the list of a path, to look at its records or to change them. @default the first list */
  readonly list: (path?: string) => FakeList
  /** Forgets the requests. The faults begin anew. */
  readonly forget: () => void
}

const API_OPTIONS = ['path', 'lists', 'faults', 'slowMs', 'seed', 'accepts', 'answer']

/** A list by its path. The path may hold `:name`, so there is a list for each set of values. */
interface Route {
  readonly path: string
  readonly pattern: RegExp
  readonly settings: ListSettings
  readonly lists: Map<string, FaultyList>
}

/**
 * Starts an HTTP server on this machine that serves lists of records in any way to page, with faults by a seed: the
 * same seed brings the same faults. For tests of pipelines.
 *
 * @example
 * await using api = await fakeApi({
 *   paging: byCursor('cursor', 'meta.next'),
 *   records: 250,
 *   faults: { seed: 7, kinds: ['503', 'cut'] },
 * })
 * const items = http(api.url).get<Page>('/items').pages(byCursor('cursor', 'meta.next')).records('items')
 *
 * @example
 * await using api = await fakeApi({
 *   lists: {
 *     '/orders': { paging: 'link header', records: orders, at: '', since: { parameter: 'since', field: 'updated' } },
 *     '/orders/:id/lines': { paging: 'one page', records: ({ id }) => lines[id] },
 *   },
 *   accepts: ({ headers }) => headers.authorization === 'Bearer test-SHOP_TOKEN',
 * })
 */
export async function fakeApi(options: FakeApiOptions = {}): Promise<FakeApi> {
  rejectUnknownOptions('fakeApi()', options, options.lists ? API_OPTIONS : [...API_OPTIONS, ...LIST_OPTIONS])
  const { faults, slowMs = 300, seed = 1, accepts = () => true, answer = () => undefined } = options
  const routes = routesOf(options)
  const choose = chooseFaults(faults)
  let requests: FakeRequest[] = []
  let tries = new Map<string, number>()
  const listAt = (path: string): FaultyList | undefined => {
    for (const { pattern, settings, lists } of routes) {
      const found = pattern.exec(path)
      if (!found) continue
      const list = lists.get(path) ?? openList(settings, { ...found.groups }, seed)
      if (list) lists.set(path, list)
      return list
    }
    return undefined
  }
  const respond = async (request: FakeRequest): Promise<{ answer: FakeAnswer; records?: number; fault?: Fault }> => {
    if (!accepts(request)) return { answer: { status: 401, json: { error: 'the credentials are not accepted' } } }
    const own = await answer(request)
    if (own) return { answer: own }
    const list = listAt(request.path)
    const paths = routes.map(({ path }) => path).join(', ')
    if (!list)
      return { answer: { status: 404, json: { error: `this fake API has no ${request.path}: it has ${paths}` } } }
    const identity = `${request.method} ${request.url} ${request.body}`
    return list.respond(request, choose({ number: request.number, identity, tries: request.tries }))
  }
  const server = createServer((incoming, response) => {
    const serve = async (): Promise<void> => {
      const { method = '', url = '', headers } = incoming
      const body = await text(incoming)
      const identity = `${method} ${url} ${body}`
      tries.set(identity, (tries.get(identity) ?? 0) + 1)
      const { pathname, searchParams } = new URL(url, 'http://localhost')
      const logged: FakeRequest = {
        number: requests.length + 1,
        method,
        url,
        path: decodeURI(pathname),
        query: searchParams,
        headers,
        body,
        json: jsonOf(body),
        form: formOf(headers['content-type'], body),
        tries: tries.get(identity) ?? 1,
        status: 0,
        records: 0,
      }
      requests.push(logged)
      const { answer: given, records = 0, fault } = await respond(logged)
      Object.assign(logged, { status: given.status ?? 200, records, ...(fault && { fault }) })
      await sendAnswer(response, given, fault, slowMs)
    }
    serve().catch((error: unknown) => {
      if (response.headersSent) response.destroy()
      else response.writeHead(500, { 'content-type': 'text/plain' }).end(`the fake API failed: ${messageOf(error)}`)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const first = routes[0]?.path ?? '/items'
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get requests() {
      return requests
    },
    list: (path = first) => {
      const list = listAt(path)
      if (list) return list.list
      throw new UsageError(`fakeApi(): there is no list at ${path}: it has ${routes.map((one) => one.path).join(', ')}`)
    },
    forget: () => {
      requests = []
      tries = new Map()
    },
    [Symbol.asyncDispose]: async () => {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

type Fault = NonNullable<FakeRequest['fault']>

function routesOf(options: FakeApiOptions): Route[] {
  const { path, lists } = options
  const only: FakeListOptions = Object.fromEntries(
    LIST_OPTIONS.filter((name) => options[name] !== undefined).map((name) => [name, options[name]]),
  )
  const given = lists ?? { [path ?? '/items']: only }
  return Object.entries(given).map(([one, list]) => {
    rejectUnknownOptions(`fakeApi(): the list of ${one}`, list, LIST_OPTIONS)
    const settings = listSettings(list, one)
    if (lists === undefined && path === undefined && settings.graphql)
      return { path: '/graphql', pattern: /^\/(?:graphql)?$/, settings, lists: new Map() }
    return { path: one, pattern: patternOf(one), settings, lists: new Map() }
  })
}

/** `:name` stands for one segment of a path. */
function patternOf(path: string): RegExp {
  if (!path.startsWith('/'))
    throw new UsageError(`fakeApi(): a path starts with '/', as in '/orders', not ${JSON.stringify(path)}`)
  const escaped = path.replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)
  return new RegExp(`^${escaped.replace(/:([A-Za-z_]\w*)/g, '(?<$1>[^/]+)')}/?$`)
}

function openList(settings: ListSettings, parameters: Record<string, string>, seed: number): FaultyList | undefined {
  const { records = 25, orderBy } = settings
  const given: FakeRecords | undefined = typeof records === 'function' ? records(parameters) : records
  if (given === undefined) return undefined
  const rows: readonly object[] = typeof given === 'number' ? fakeRecords(given, seed) : given
  return new FaultyList(new FakeList(rows, orderBy), settings, seed)
}

function jsonOf(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return undefined
  }
}

const formOf = (type: string | undefined, body: string): URLSearchParams =>
  new URLSearchParams(type?.startsWith('application/x-www-form-urlencoded') ? body : '')
