/* oxlint-disable typescript/no-unsafe-assignment, typescript/no-unsafe-argument, typescript/no-unsafe-return
   -- Answers are compared as they came. */
import { jest } from '@jest/globals'
import { once } from 'node:events'
import { request as ask, type IncomingMessage } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { byPage, http, pipeline, serve, type Pipeline, type ServeOptions, type Server } from '../../src/index.ts'
import { apiServer, type ApiHandler, type ApiServer } from '../support/api-server.ts'
import { testDatabase, type TestDatabase } from '../support/database.ts'

// The machine may be busy.
jest.setTimeout(40_000)

export interface Rig extends AsyncDisposable {
  readonly api: ApiServer
  readonly test: TestDatabase
  readonly server: Server
  readonly pipeline: Pipeline
  /** Errors passed to `onError`. */
  readonly failures: readonly unknown[]
  readonly get: (path: string, headers?: Readonly<Record<string, string>>) => Promise<Answer>
  readonly post: (path: string, body?: unknown, headers?: Readonly<Record<string, string>>) => Promise<Answer>
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  readonly json: any
}

export interface RigOptions extends Partial<ServeOptions> {
  readonly handler?: ApiHandler
  readonly pipelines?: (origin: string) => readonly Pipeline[]
}

/** Returns ten pages of three records, and an empty last one. */
export const pages: ApiHandler = ({ query }) => {
  const page = Number(query.get('page'))
  return { json: { rows: page > 10 ? [] : [1, 2, 3].map((n) => ({ id: page * 10 + n, name: `row ${n}` })) } }
}

export const rows = (origin: string) =>
  http(origin, { attempts: 1 })
    .get<{ rows: { id: number; name: string }[] }>('/rows')
    .pages(byPage('page'))
    .records('rows')

/** Opens an API, a database, and a server of a pipeline `shop` with a stream `rows` into `t.rows`. */
export async function rig({ handler = pages, pipelines, ...options }: RigOptions = {}): Promise<Rig> {
  await using opening = new AsyncDisposableStack()
  const api = opening.use(await apiServer(handler))
  const test = opening.use(await testDatabase({ max: 4 }))
  const failures: unknown[] = []
  const given = pipelines?.(api.origin) ?? [
    pipeline('shop', { streams: { rows: rows(api.origin).into('t.rows', { key: 'id' }) } }),
  ]
  const server = opening.use(
    await serve(given, {
      port: 0,
      database: test.url,
      environment: {},
      onError: (error) => failures.push(error),
      ...options,
    }),
  )
  const send = async (path: string, init: RequestInit): Promise<Answer> => {
    const answer = await fetch(server.url + path, { redirect: 'manual', ...init })
    const text = await answer.text()
    return {
      status: answer.status,
      headers: answer.headers,
      text,
      json: answer.headers.get('content-type')?.startsWith('application/json')
        ? (JSON.parse(text) as unknown)
        : undefined,
    }
  }
  const opened = opening.move()
  return {
    api,
    test,
    server,
    failures,
    pipeline: given[0]!,
    get: (path, headers = {}) => send(path, { headers }),
    post: (path, body, headers = {}) =>
      send(path, {
        method: 'POST',
        headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      }),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}

/** Waits until a condition is true, for 30 s at most. */
export async function until(isSo: () => boolean | Promise<boolean>, what = isSo.toString()): Promise<void> {
  const last = performance.now() + 30_000
  while (!(await isSo())) {
    if (performance.now() > last) throw new Error(`Still false after 30 s: ${what}`)
    await sleep(10)
  }
}

/** Waits until a run has ended, and returns it. */
export async function ended({ get }: Pick<Rig, 'get'>, run: string): Promise<Answer['json']> {
  let found: Answer | undefined
  await until(async () => (found = await get(`/api/runs/${run}`)).json.status !== 'running', `run ${run} has ended`)
  return found!.json
}

export interface Watcher extends Disposable {
  /** Ids in the order of arrival. */
  readonly ids: string[]
  readonly events: any[]
  readonly gaps: string[]
  /** The last `id:` line, which a browser would send when it resumes. */
  readonly place: string
  readonly isOver: boolean
  readonly answer: IncomingMessage
}

/** Opens a client of the events with its own socket. */
export async function watch(
  server: Server,
  path = '/api/events',
  headers: Readonly<Record<string, string>> = {},
): Promise<Watcher> {
  const request = ask(server.url + path, { headers, agent: false }).end()
  const [answer] = (await once(request, 'response')) as [IncomingMessage]
  const watcher = {
    ids: [] as string[],
    events: [] as unknown[],
    gaps: [] as string[],
    place: '',
    isOver: false,
    answer,
    [Symbol.dispose]: () => void request.destroy(),
  }
  let text = ''
  answer.setEncoding('utf8')
  answer.on('data', (chunk: string) => {
    const parts = (text + chunk).split('\n\n')
    text = parts.pop()!
    for (const part of parts) {
      const lines = new Map(
        part.split('\n').map((line) => [line.split(': ', 1)[0]!, line.slice(line.indexOf(': ') + 2)]),
      )
      const [id, data] = [lines.get('id'), lines.get('data')]
      if (id !== undefined) watcher.place = id
      if (lines.get('event') === 'gap') watcher.gaps.push(data!)
      else if (data !== undefined) {
        watcher.ids.push(id!)
        watcher.events.push(JSON.parse(data))
      }
    }
  })
  const over = (): void => void (watcher.isOver = true)
  answer.on('error', over).on('close', over)
  request.on('error', over)
  return watcher
}
