import pg from 'pg'

/** What of a connection is needed to cancel its statement: as the protocol told it, so it holds behind a pooler too. */
export interface Cancellable {
  readonly host: string
  readonly port: number
  readonly ssl: unknown
  readonly processID: number | null
  readonly secretKey: number | null
}

interface RawConnection {
  readonly stream: { destroy: () => void }
  connect: (port: number | string, host?: string) => void
  requestSsl: () => void
  cancel: (processID: number, secretKey: number) => void
  on: (event: 'connect' | 'sslconnect' | 'error' | 'end', listener: () => void) => void
}

/**
 * Ask the server to stop what a connection is doing, over a connection of its own: the protocol's CancelRequest.
 * Settles when the server has hung up, which it does after it has passed the request on; never rejects, for the caller
 * waits for the statement itself.
 */
export async function sendCancel(client: Cancellable, timeoutMs = 5_000): Promise<void> {
  const { processID, secretKey } = client
  if (processID === null || secretKey === null) return
  const Connection = pg.Connection as unknown as new (config: { ssl: unknown }) => RawConnection
  const connection = new Connection({ ssl: client.ssl })
  const { promise: over, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, timeoutMs)
  const cancel = (): void => connection.cancel(processID, secretKey)
  connection.on('connect', () => (client.ssl ? connection.requestSsl() : cancel()))
  connection.on('sslconnect', cancel)
  connection.on('error', resolve)
  connection.on('end', resolve)
  if (client.host.startsWith('/')) connection.connect(`${client.host}/.s.PGSQL.${client.port}`)
  else connection.connect(client.port, client.host)
  try {
    await over
  } finally {
    clearTimeout(timer)
    connection.stream.destroy()
  }
}
