import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { UsageError } from '../../model/errors.ts'
import { demoResponses, type DemoSize } from './demo-responses.ts'

/** The port that `pipelines/demo.ts` uses if SLUICE_DEMO_API is not set. */
export const DEMO_PORT = 47_470

export interface DemoOptions extends DemoSize {
  /** Stops the server. */
  readonly signal?: AbortSignal
  /** A port that must be free; 0 takes any. @default 47470, or any if that port is in use */
  readonly port?: number
  /** Milliseconds until each response. @default 12 */
  readonly latencyMs?: number
}

export interface DemoApi extends AsyncDisposable {
  /** Set SLUICE_DEMO_API to it before the pipeline is imported. */
  readonly origin: `http://${string}`
}

/** Starts an API on loopback to try Sluice with. It is a little slow, and sometimes rejects a request. */
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
  // The client pauses between requests while it writes a batch. Its connection stays open.
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
      throw new UsageError(`demo API: port ${port} is in use; choose another port, or none`, { cause: error })
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
