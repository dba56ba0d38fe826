import { isIP } from 'node:net'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { Problem } from '../response/problem.ts'
import { loginPage } from './login-page.ts'
import type { Token } from './token.ts'

export interface GuardOptions {
  /** The host that the server listens on. */
  readonly host: string
  /** Further names by which clients reach the server. */
  readonly allowedHosts: readonly string[]
  readonly token: Token | undefined
}

/** Sent with every answer. Inline scripts are forbidden: data of an API that the page shows could run as one. */
const HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
    "font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
}

const LOOPBACK = new Set(['localhost', '127.0.0.1', '::1'])

/** Returns true if only this machine can reach the host. */
export const isLoopback = (host: string): boolean => LOOPBACK.has(host) || /^127\.\d+\.\d+\.\d+$/.test(host)

/**
 * Rejects requests before any route sees them.
 *
 * | request | answer |
 * |---|---|
 * | a `Host` that is not the server's: DNS may have been rebound to this machine | 421 |
 * | an `Origin` other than the host, or another site by the browser's `Sec-Fetch-Site` | 403 |
 * | a missing or wrong token, except for `/healthz` and `/login` | 401; a browser gets the login form |
 */
export function guard(app: FastifyInstance, { host, allowedHosts, token }: GuardOptions): void {
  const known = new Set([...LOOPBACK, host.toLowerCase(), ...allowedHosts.map((one) => one.toLowerCase())])
  // With a token an IP address is accepted: DNS cannot rebind it.
  const isOurs = (name: string): boolean =>
    known.has(name) || isLoopback(name) || (token !== undefined && isIP(name) > 0)

  app.addHook('onRequest', async (request, reply) => {
    void reply.headers(HEADERS)
    const asked = request.headers.host ?? ''
    if (!isOurs(hostName(asked)))
      throw new Problem(
        421,
        `${JSON.stringify(asked.slice(0, 100))} is not a host of this server`,
        'use the address that the server prints, or start it with --allowed-host NAME',
      )
    rejectForeign(request, asked)
    if (!token || request.url === '/healthz' || request.url === '/login' || token.isIn(request.headers)) return
    if (isPage(request)) return reply.code(401).type('text/html; charset=utf-8').send(loginPage())
    throw new Problem(401, 'the token is missing or wrong', 'send the header Authorization: Bearer TOKEN')
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
      return reply.code(401).type('text/html; charset=utf-8').send(loginPage('The token is wrong.'))
    return reply
      .header('set-cookie', token.cookie({ secure: request.headers['x-forwarded-proto'] === 'https' }))
      .redirect('/', 303)
  })
}

/** Rejects requests that a browser sends for another site. Programs send neither header, and no cookies of a user. */
function rejectForeign(
  { headers: { origin, 'sec-fetch-site': site, 'sec-fetch-mode': mode }, method }: FastifyRequest,
  asked: string,
): void {
  const isOwn = origin === undefined || origin === `http://${asked}` || origin === `https://${asked}`
  // A link on another site may lead here: the browser follows it without the cookie.
  const isForeign =
    site !== undefined && site !== 'same-origin' && site !== 'none' && !(method === 'GET' && mode === 'navigate')
  if (!isOwn || isForeign)
    throw new Problem(
      403,
      `pages of another origin (${JSON.stringify((origin ?? String(site)).slice(0, 100))}) are not allowed`,
      'use the page of this server, or a program',
    )
}

const isPage = ({ method, headers: { accept } }: FastifyRequest): boolean =>
  method === 'GET' && accept?.includes('text/html') === true

/** Returns the host without port and brackets: `localhost` of `localhost:8420`, `::1` of `[::1]:8420`. */
const hostName = (host: string): string =>
  host
    .toLowerCase()
    .replace(/:\d+$/, '')
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.$/, '')
