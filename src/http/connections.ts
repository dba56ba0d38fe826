// The connections of an API's client: directly or through a proxy, with a client certificate for its own origin only.
import { Agent, EnvHttpProxyAgent, type Dispatcher } from 'undici'
import { UsageError } from '../model/errors.ts'
import type { Auth, Credentials } from '../model/request.ts'
import type { Secrets } from '../model/scope.ts'
import { portProblem } from '../value/port.ts'
import type { Settings } from './settings.ts'
import type { Transport } from './transport.ts'

type Certificate = Extract<Auth, { type: 'client certificate' }>

export interface ConnectionsOptions {
  readonly settings: Pick<Settings, 'addresses' | 'concurrency' | 'timeoutMs'>
  readonly certificate: Certificate | undefined
  readonly secrets: Secrets
  /** `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`, in lower case too. @default that of the process */
  readonly environment?: Readonly<Record<string, string | undefined>>
}

/** The connections of one API, closed when it is disposed. */
export interface Connections extends AsyncDisposable {
  readonly dispatcher: Dispatcher
}

export function openConnections({
  settings,
  certificate,
  secrets,
  environment = process.env,
}: ConnectionsOptions): Connections {
  const resources = new AsyncDisposableStack()
  const open = (tls: object = {}): Dispatcher =>
    resources.adopt(openAgent(settings, environment, tls), (agent) => agent.destroy())
  const close = (): Promise<void> => resources.disposeAsync()
  if (!certificate) return { dispatcher: open(), [Symbol.asyncDispose]: close }
  const own = open(tlsOf(certificate, secrets))
  const origins = new Set([settings.addresses.origin, settings.addresses.origin.replace(/^http:/, 'https:')])
  const isOwn = ({ origin }: Dispatcher.DispatchOptions): boolean => origins.has(new URL(String(origin)).origin)
  const dispatcher = open().compose(
    (dispatch) => (options, handler) => (isOwn(options) ? own.dispatch(options, handler) : dispatch(options, handler)),
  )
  return { dispatcher, [Symbol.asyncDispose]: close }
}

function openAgent(
  { concurrency, timeoutMs }: ConnectionsOptions['settings'],
  environment: NonNullable<ConnectionsOptions['environment']>,
  tls: object,
): Dispatcher {
  // undici's own limits are off: one limit covers a try from sending to the last byte. HTTP/1.1 was measured, and
  // fails in known ways.
  const options = {
    connections: concurrency,
    pipelining: 1,
    allowH2: false,
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: { timeout: timeoutMs, ...tls },
  }
  const proxies = proxiesOf(environment)
  if (proxies.httpProxy === '' && proxies.httpsProxy === '') return new Agent(options)
  return new EnvHttpProxyAgent({ ...options, ...proxies, requestTls: { timeout: timeoutMs, ...tls } })
}

/**
 * Returns the proxies of an environment, as undici takes them. An empty text means that there is none, although the
 * environment of the process may have one. Throws a UsageError for one that is no URL.
 */
export function proxiesOf(
  environment: Readonly<Record<string, string | undefined>>,
): Record<'httpProxy' | 'httpsProxy' | 'noProxy', string> {
  const variable = (name: string): string => environment[name] || environment[name.toUpperCase()] || ''
  for (const name of ['http_proxy', 'https_proxy']) {
    const url = variable(name)
    // The message leaves the value out: it may contain a password.
    if (url !== '' && !URL.canParse(url))
      throw new UsageError(
        `${name.toUpperCase()} in the environment is not the URL of a proxy${portProblem(url)}. ` +
          'Write it like http://proxy.example:3128, or remove the variable',
      )
  }
  return { httpProxy: variable('http_proxy'), httpsProxy: variable('https_proxy'), noProxy: variable('no_proxy') }
}

const tlsOf = ({ certificate, key, passphrase }: Certificate, secrets: Secrets): object => ({
  cert: secrets.value(certificate.secret),
  key: secrets.value(key.secret),
  ...(passphrase && { passphrase: secrets.value(passphrase.secret) }),
})

/** The connections of a client: those of pages, and those of bodies that are read part by part. */
export interface ClientConnections extends AsyncDisposable {
  readonly agent: Dispatcher
  readonly bodyAgent: Dispatcher
}

/** Bodies of one API that are read part by part at once. They do not count to its `concurrency`. */
const MAX_OPEN_BODIES = 64

export function openClientConnections(
  settings: ConnectionsOptions['settings'],
  auth: Credentials | undefined,
  secrets: Secrets,
  transport?: Transport,
): ClientConnections {
  const certificate = [auth ?? []].flat().find((one) => one.type === 'client certificate')
  const ofBodies = { ...settings, concurrency: settings.concurrency + MAX_OPEN_BODIES }
  const open = (of: ConnectionsOptions['settings']) => openConnections({ settings: of, certificate, secrets })
  const [pages, bodies] = [open(settings), open(ofBodies)] as const
  const { base } = settings.addresses
  const agentOf = ({ dispatcher: network }: Connections): Dispatcher =>
    transport?.connect({ base, secrets, network }) ?? network
  return {
    agent: agentOf(pages),
    bodyAgent: agentOf(bodies),
    [Symbol.asyncDispose]: async () => {
      await Promise.all([pages, bodies].map((one) => one[Symbol.asyncDispose]()))
    },
  }
}
