import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { UsageError } from '../../model/errors.ts'
import { demoResponses, type DemoSize } from './demo-responses.ts'

/** Where `pipelines/demo.ts` looks unless SLUICE_DEMO_API says otherwise. */
export const DEMO_PORT = 47_470

export interface DemoOptions extends DemoSize {
  /** Stops the server. */
  readonly signal?: AbortSignal
  /** A port that must be free, 0 for any; left out, 47470 or, where somebody has that one, any. */
  readonly port?: number
  /** How long each answer takes. @default 12 */
  readonly latencyMs?: number
}

export interface DemoApi extends AsyncDisposable {
  /** To be put into SLUICE_DEMO_API before the pipeline is imported. */
  readonly origin: `http://${string}`
}

/**
 * An API on loopback to try Sluice with: customers, their invoices, events; a bit slow, and now and then too busy to
 * answer.
 */
export async function startDemoApi({ signal, port, latencyMs = 12, ...size }: DemoOptions = {}): Promise<DemoApi> {
  signal?.throwIfAborted()
  const answer = demoResponses(size)
  const server = createServer((request, response) => {
    request.resume()
    const { status, headers, body } =
      request.method === 'GET' ? answer(request.url ?? '/') : { status: 405, headers: { allow: 'GET' }, body: '' }
    setTimeout(
      () => response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) }).end(body),
      latencyMs,
    )
  })
  // A client may rest for a while between two requests (it writes a batch meanwhile) without finding its connection
  // closed.
  server.keepAliveTimeout = 120_000
  await listen(server, port)

  const close = async (): Promise<void> => {
    signal?.removeEventListener('abort', onAbort)
    if (!server.listening) return
    const closed = once(server, 'close')
    server.close()
    server.closeAllConnections()
    await closed
  }
  const onAbort = (): void => void close()
  signal?.addEventListener('abort', onAbort, { once: true })
  return { origin: `http://127.0.0.1:${portOf(server)}`, [Symbol.asyncDispose]: close }
}

async function listen(server: Server, port: number | undefined): Promise<void> {
  try {
    await listenOn(server, port ?? DEMO_PORT)
  } catch (error) {
    if (!(Error.isError(error) && 'code' in error && error.code === 'EADDRINUSE')) throw error
    if (port !== undefined)
      throw new UsageError(`demo API: port ${port} is taken: name another one, or none`, { cause: error })
    await listenOn(server, 0)
  }
}

async function listenOn(server: Server, port: number): Promise<void> {
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
}

function portOf(server: Server): number {
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}
