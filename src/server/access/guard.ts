import { isIP } from 'node:net'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { Problem } from '../response/problem.ts'
import { loginPage } from './login-page.ts'
import type { Token } from './token.ts'

export interface GuardOptions {
  /** What it listens on. */
  readonly host: string
  /** Names that others reach it by. */
  readonly allowedHosts: readonly string[]
  readonly token: Token | undefined
}

/** For every answer. No inline script or style: what an API sent and a page shows could otherwise run. */
export const headers: Readonly<Record<string, string>> = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
}

const loopback = new Set(['localhost', '127.0.0.1', '::1'])

/** Whether only this machine can reach it. */
export const isLoopback = (host: string): boolean => loopback.has(host) || /^127\.\d+\.\d+\.\d+$/.test(host)

/**
 * Who may ask.
 *
 * | what comes | what is done |
 * |---|---|
 * | a `Host` that is not ours (DNS that was rebound to this machine) | 421 |
 * | an `Origin` other than the host, or a browser's word that another site asks | 403 |
 * | no token, or a wrong one, where there is one; but for `/healthz` and the login | 401; a browser that wants a page gets the login form |
 */
export function guard(app: FastifyInstance, { host, allowedHosts, token }: GuardOptions): void {
  const known = new Set([...loopback, host.toLowerCase(), ...allowedHosts.map((one) => one.toLowerCase())])
  // With a token, an address as such is no name that anybody could have rebound.
  const isOurs = (name: string): boolean =>
    known.has(name) || isLoopback(name) || (token !== undefined && isIP(name) > 0)

  app.addHook('onRequest', async (request, reply) => {
    void reply.headers(headers)
    const asked = request.headers.host ?? ''
    if (!isOurs(hostName(asked)))
      throw new Problem(
        421,
        `the host ${JSON.stringify(asked.slice(0, 100))} is not this server's`,
        'ask by the address that it prints, or let it know the name: --allowed-host NAME',
      )
    refuseForeign(request, asked)
    if (!token || request.url === '/healthz' || request.url === '/login' || token.isBrought(request.headers)) return
    if (isPage(request)) return reply.code(401).type('text/html; charset=utf-8').send(loginPage())
    throw new Problem(401, 'the token is missing, or is not the right one', 'send it: Authorization: Bearer …')
  })
  if (!token) return
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string', bodyLimit: 4_096 },
    (_, body, done) => done(null, Object.fromEntries(new URLSearchParams(String(body)))),
  )
  app.post('/login', { schema: { hide: true } }, async (request, reply) => {
    const { token: given } = (request.body ?? {}) as { readonly token?: unknown }
    if (typeof given !== 'string' || !token.is(given.trim()))
      return reply.code(401).type('text/html; charset=utf-8').send(loginPage('That is not the token.'))
    return reply
      .header('set-cookie', token.cookie({ secure: request.headers['x-forwarded-proto'] === 'https' }))
      .redirect('/', 303)
  })
}

/** A browser tells where a request comes from; programs tell nothing, and have nobody's cookies. */
function refuseForeign(
  { headers: { origin, 'sec-fetch-site': site, 'sec-fetch-mode': mode }, method }: FastifyRequest,
  asked: string,
): void {
  const isOwn = origin === undefined || origin === `http://${asked}` || origin === `https://${asked}`
  // Who follows a link from elsewhere comes to look, and looks without the cookie.
  const isForeign =
    site !== undefined && site !== 'same-origin' && site !== 'none' && !(method === 'GET' && mode === 'navigate')
  if (!isOwn || isForeign)
    throw new Problem(
      403,
      `a page of another origin (${JSON.stringify((origin ?? String(site)).slice(0, 100))}) may not ask this server`,
      'ask from the page that the server serves itself, or from a program',
    )
}

const isPage = ({ method, headers: { accept } }: FastifyRequest): boolean =>
  method === 'GET' && accept?.includes('text/html') === true

/** `localhost:8420`, `[::1]:8420`, without port and brackets. */
const hostName = (host: string): string =>
  host
    .toLowerCase()
    .replace(/:\d+$/, '')
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.$/, '')
