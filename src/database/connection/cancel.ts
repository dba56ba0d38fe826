import pg from 'pg'

/** The facts of a connection that cancelling its statement needs, from the protocol: they hold behind a pooler too. */
export interface Cancellable {
  readonly host: string
  readonly port: number
  readonly ssl: unknown
  readonly sslNegotiation: string
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
 * Asks the server to stop the statement of a connection, by a CancelRequest over a connection of its own. Resolves when
 * the server has closed that connection, after it has passed the request on. Never rejects: the caller waits for the
 * statement itself.
 */
export async function sendCancel(client: Cancellable, timeoutMs = 5_000): Promise<void> {
  const { processID, secretKey, ssl, sslNegotiation } = client
  if (processID === null || secretKey === null) return
  // The types of the driver do not have this class.
  const Connection = pg.Connection as unknown as new (config: object) => RawConnection
  const connection = new Connection({ ssl, sslNegotiation })
  const { promise: over, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, timeoutMs)
  const cancel = (): void => connection.cancel(processID, secretKey)
  connection.on('connect', () => {
    if (!ssl) cancel()
    else if (sslNegotiation !== 'direct') connection.requestSsl()
  })
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
