// The address on this machine to which the browser brings the answer of a login.
import { timingSafeEqual } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { abortable } from '../../flow/signals/abortable.ts'
import { HttpError, UsageError } from '../../model/errors.ts'
import { messageOf } from '../../value/error.ts'

export interface Loopback extends AsyncDisposable {
  /** Ends with the path `/callback`. */
  readonly redirectUri: string
  /** Waits for the answer with this state, and returns its code. Throws if the login was refused. */
  readonly code: (state: string, signal: AbortSignal) => Promise<string>
}

/** Listens on 127.0.0.1. `port` 0 takes any free one. */
export async function openLoopback(port: number): Promise<Loopback> {
  const answers: ((parameters: URLSearchParams) => string | undefined)[] = []
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://127.0.0.1')
    if (pathname !== '/callback' || request.method !== 'GET') return page(response, 404, 'There is no such page.')
    const [text] = answers.flatMap((answer) => answer(searchParams) ?? [])
    if (text === undefined) page(response, 400, 'This answer does not belong to the login that is waiting.')
    else page(response, 200, text)
  })
  try {
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
  } catch (cause) {
    throw new UsageError(`port ${port} of 127.0.0.1 cannot be used (${messageOf(cause)}): give another --port`, {
      cause,
    })
  }
  return {
    redirectUri: `http://127.0.0.1:${(server.address() as AddressInfo).port}/callback`,
    code: (state, signal) => {
      const { promise, resolve, reject } = Promise.withResolvers<string>()
      answers.push((parameters) => {
        // Another page may call this address too: only the right state is an answer.
        if (!isSame(parameters.get('state') ?? '', state)) return undefined
        const [code, error] = [parameters.get('code'), parameters.get('error')]
        if (code !== null && code !== '') {
          resolve(code)
          return 'Sluice has got the answer. You may close this page.'
        }
        const reason = error !== null && /^\w{1,64}$/.test(error) ? ` (${error})` : ''
        reject(new HttpError(`The login was refused${reason}. Nothing was stored`, { kind: 'credentials' }))
        return `The login was refused${reason}. You may close this page.`
      })
      return abortable(promise, signal)
    },
    [Symbol.asyncDispose]: async () => {
      const closed = once(server, 'close')
      server.close()
      // The page that says that it may be closed must arrive.
      const timer = setTimeout(() => server.closeAllConnections(), 1_000)
      server.closeIdleConnections()
      await closed
      clearTimeout(timer)
    },
  }
}

function isSame(given: string, expected: string): boolean {
  const [one, other] = [Buffer.from(given), Buffer.from(expected)]
  return one.length === other.length && timingSafeEqual(one, other)
}

function page(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, {
    'content-type': 'text/html; charset=utf-8',
    'cache-control': 'no-store',
    'content-security-policy': "default-src 'none'",
    'referrer-policy': 'no-referrer',
    connection: 'close',
  })
  response.end(`<!doctype html><html lang="en"><title>Sluice</title><p>${text}</p></html>`)
}
