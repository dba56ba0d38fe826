import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer as createPlainServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import type { ApiAnswer } from './api-server.ts'

const CERTIFICATES = join(import.meta.dirname, 'tls')
/** The first byte of a TLS connection. */
const TLS_HANDSHAKE = 0x16

export interface SchemeRequest {
  readonly scheme: 'http' | 'https'
  readonly url: string
  readonly authorization: string | undefined
}

export interface TwoSchemeServer extends AsyncDisposable {
  /** `localhost:PORT`, which the certificate names. */
  readonly host: string
  readonly requests: readonly SchemeRequest[]
}

/** Starts a server that speaks HTTP and HTTPS on one port. The first byte of a connection decides. */
export async function twoSchemeServer(handler: (request: SchemeRequest) => ApiAnswer): Promise<TwoSchemeServer> {
  const requests: SchemeRequest[] = []
  const listener =
    (scheme: SchemeRequest['scheme']) =>
    ({ url = '', headers }: IncomingMessage, response: ServerResponse): void => {
      const request = { scheme, url, authorization: headers.authorization }
      requests.push(request)
      const { status = 200, headers: own = {}, json } = handler(request)
      response.writeHead(status, { 'content-type': 'application/json', ...(own as Record<string, string>) })
      response.end(json === undefined ? '' : JSON.stringify(json))
    }
  const [key, cert] = await Promise.all(
    ['server.key', 'server.crt'].map(async (file) => readFile(join(CERTIFICATES, file))),
  )
  const plain = createPlainServer(listener('http'))
  const tls = createTlsServer({ key, cert }, listener('https'))
  const sockets = new Set<Socket>()
  const front = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.once('data', (first) => {
      const behind = connect(portOf(first[0] === TLS_HANDSHAKE ? tls : plain), '127.0.0.1')
      behind.on('error', () => {})
      behind.write(first)
      socket.pipe(behind).pipe(socket)
    })
  })
  for (const server of [plain, tls, front]) {
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
  }
  return {
    host: `localhost:${portOf(front)}`,
    requests,
    [Symbol.asyncDispose]: async () => {
      const closed = [front, plain, tls].map(async (server) => once(server, 'close'))
      for (const server of [front, plain, tls]) server.close()
      for (const socket of sockets) socket.destroy()
      for (const server of [plain, tls]) server.closeAllConnections()
      await Promise.all(closed)
    },
  }
}

const portOf = (server: Server): number => (server.address() as AddressInfo).port
