import type { AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'
import type { AccountsPipeline, Pipeline } from '../define/pipeline.ts'
import { scheduleOf } from '../define/schedule/schedule.ts'
import { LinkedSignal } from '../flow/signals/linked-signal.ts'
import { onAbort } from '../flow/signals/on-abort.ts'
import { TaskGroup } from '../flow/task-group.ts'
import { UsageError } from '../model/errors.ts'
import { pruneHourly } from '../ledger/prune.ts'
import { defined } from '../value/defined.ts'
import { duration } from '../value/duration.ts'
import { isPort, MAX_PORT } from '../value/port.ts'
import { knownSecrets } from '../observe/known-secrets.ts'
import { exportMetrics } from '../observe/telemetry/export-metrics.ts'
import { expandAll } from '../run/accounts/expand-accounts.ts'
import { hasAlarms } from '../run/notify/notify-targets.ts'
import { watchIncidents } from '../run/notify/watch-incidents.ts'
import { openStore } from '../run/open-store.ts'
import { retentionOf } from '../run/retention.ts'
import { systemClock, type Clock } from '../run/schedule/clock.ts'
import { runScheduler } from '../run/schedule/schedule.ts'
import { schemasOf, tablesOf } from '../run/schema-right.ts'
import { openApp } from './app.ts'
import type { Context } from './context.ts'
import { EventHub } from './events/event-hub.ts'
import { isLoopback } from './access/guard.ts'
import { openMetrics } from './metrics.ts'
import { Runner } from './runner.ts'
import type { ServeOptions, Server } from './serve.ts'
import { ServedPipelines } from './served-pipelines.ts'
import { Token } from './access/token.ts'

/** Connections for summaries, exports and short queries. */
const CONNECTIONS = 16
/** Wait this long for streamed answers to end by themselves. */
const CLOSE_TIMEOUT_MS = 500

/** Opens all parts of a server in order; closing it closes them in reverse order. */
export async function openServer(
  definitions: readonly (Pipeline | AccountsPipeline)[],
  options: ServeOptions & { /** @default the clock of the system */ readonly clock?: Clock },
): Promise<Server> {
  const {
    port = 8420,
    host = '127.0.0.1',
    allowedHosts = [],
    environment = process.env,
    maxRuns = 8,
    distribute = false,
    clientTimeout = '10s',
    onError = () => {},
    onAccounts = () => {},
    clock = systemClock,
  } = options
  if (!isPort(port))
    throw new UsageError(
      `serve(): port must be a whole number from 0 to ${MAX_PORT}, not ${String(port)}; 0 takes any free port`,
    )
  const clientTimeoutMs = duration(clientTimeout)
  const retention = retentionOf(environment)
  const token = options.token === undefined ? undefined : new Token(options.token)
  if (!token && !isLoopback(host))
    throw new UsageError(
      `${host} can be reached from other machines, whose users could start runs: ` +
        'set SLUICE_TOKEN, or listen on 127.0.0.1',
    )
  const secrets = knownSecrets(environment, options.database)
  if (options.token !== undefined) secrets.register?.('SLUICE_TOKEN', options.token)
  const hide = (text: string): string => secrets.hide(text)
  const { pipelines: given, failed } = await expandAll(definitions, {
    environment,
    register: (name, value) => secrets.register?.(name, value),
    ...defined({ database: options.database, signal: options.signal }),
  })
  for (const error of failed) onError(error)

  await using opening = new AsyncDisposableStack()
  const closing = opening.use(new LinkedSignal(options.signal))
  const { signal } = closing
  const served = new ServedPipelines(given, {
    environment,
    secrets,
    clock,
    signal,
    database: options.database,
    onChange: onAccounts,
    onProblem: (pipeline, message) => onError(new Error(hide(warningText(pipeline, message)))),
  })
  const runOptions = { environment, ...(options.database !== undefined && { database: options.database }) }
  const schemas = schemasOf(tablesOf(given))
  const { database } = opening.use(await openStore({ ...runOptions, max: CONNECTIONS, schemas, signal }))
  const hub = opening.use(await EventHub.open(database, { hide, onError, signal }))
  const group = opening.use(new TaskGroup({ signal }))
  group.spawn((ending) => pruneHourly(database, retention, { onError, signal: ending }))
  served.keepFresh(group)
  if (hasAlarms(definitions, environment))
    group.spawn((ending) =>
      watchIncidents(database, () => [...served.byName.values()], {
        environment,
        secrets,
        clock,
        pings: options.schedule === true,
        onProblem: (message) => onError(new Error(message)),
        signal: ending,
      }),
    )
  const runner = new Runner({ database, group, maxRuns, onError })
  const context: Context = {
    database,
    hub,
    runner,
    served,
    runOptions,
    distribute,
    hide,
    onError,
    clientTimeoutMs,
    openStreams: { watchers: 0, exports: 0 },
    signal,
  }
  const metrics = opening.use(openMetrics(context))
  opening.use(await exportMetrics(metrics.known, metrics.read))
  const app = await openApp(context, { host, allowedHosts, token }, metrics)
  opening.defer(() => close(app))
  await listen(app, host, port)
  // The last check of the signal before `onAbort` below: nothing is awaited in between.
  signal.throwIfAborted()
  const scheduled = options.schedule ? given.filter((pipeline) => scheduleOf(pipeline)) : []
  if (options.schedule && scheduled.length === 0)
    throw new UsageError("No pipeline has a schedule: give one a schedule, as in { schedule: '*/15 * * * *' }")

  const opened = opening.move()
  const ended = Promise.withResolvers<void>()
  let isEnding = false
  const end = async (reason: unknown, cause?: { readonly error: unknown }): Promise<void> => {
    if (isEnding) return ended.promise
    isEnding = true
    closing.abort(reason)
    try {
      await opened.disposeAsync()
      if (cause) ended.reject(cause.error)
      else ended.resolve()
    } catch (error) {
      ended.reject(error)
    }
    await ended.promise
  }
  // A caller that does not await `ended` must not get an unhandled rejection.
  ended.promise.catch(() => {})
  opened.use(onAbort(options.signal, (reason) => void end(reason).catch(() => {})))
  if (scheduled.length > 0) {
    group.spawn(async (ending) => {
      try {
        await runScheduler(scheduled, {
          ...runOptions,
          distribute,
          clock,
          live: served.accounts,
          alarms: false,
          signal: ending,
          onEvent: (event) => {
            if (event.type === 'warning') onError(new Error(warningText(event.pipeline, event.message)))
          },
        })
      } catch (error) {
        // A server without its scheduler would look as if the schedules were kept.
        void end(error, { error }).catch(() => {})
      }
    })
  }
  const { address, port: taken } = app.server.address() as AddressInfo
  return {
    url: `http://${address.includes(':') ? `[${address}]` : address}:${taken}`,
    ended: ended.promise,
    [Symbol.asyncDispose]: () => end(new DOMException('The server was closed', 'AbortError')),
  }
}

async function listen(app: FastifyInstance, host: string, port: number): Promise<void> {
  try {
    await app.listen({ host, port })
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException
    const problem = {
      EADDRINUSE: 'another program listens there already; stop it, or use another --port (0: any free one)',
      EACCES: 'this user may not listen there; use a --port above 1023',
      EADDRNOTAVAIL: 'this machine has no such address; use another --host',
    }[code ?? '']
    throw new UsageError(`${host}:${port}: ${problem ?? message}`, { cause })
  }
}

/** Closes the server. The signal has ended the streamed answers; those that remain are cut off. */
async function close(app: FastifyInstance): Promise<void> {
  const timeout = setTimeout(() => app.server.closeAllConnections(), CLOSE_TIMEOUT_MS)
  try {
    await app.close()
  } finally {
    clearTimeout(timeout)
  }
}

/** Errors of an account begin with its name already. */
const warningText = (pipeline: string, message: string): string =>
  message.startsWith(`${pipeline}:`) ? message : `${pipeline}: ${message}`
