import { EnvHttpProxyAgent, request } from 'undici'
import { proxiesOf } from '../http/connections.ts'
import { UsageError } from '../model/errors.ts'

export interface PostOptions {
  readonly body: string
  readonly headers?: Readonly<Record<string, string>>
  /** `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`. */
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly signal: AbortSignal
}

const MAX_SHOWN = 200

/**
 * Sends JSON by POST. Throws if the answer is no success; a redirect is none, so that an address cannot be led away.
 */
export async function postJson(url: string, { body, headers, environment, signal }: PostOptions): Promise<void> {
  // The message leaves the value out: it is a secret.
  if (!/^https?:\/\//.test(url) || !URL.canParse(url))
    throw new UsageError('its address is not a URL that begins with https:// or http://')
  await using agent = disposable(new EnvHttpProxyAgent(proxiesOf(environment)))
  const response = await request(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'user-agent': 'sluice', ...headers },
    body,
    signal,
    dispatcher: agent.agent,
  })
  const text = await response.body.text()
  if (response.statusCode >= 200 && response.statusCode < 300) return
  throw new Error(`it answered ${response.statusCode}${text === '' ? '' : `: ${text.slice(0, MAX_SHOWN)}`}`)
}

const disposable = (agent: EnvHttpProxyAgent) => ({ agent, [Symbol.asyncDispose]: () => agent.destroy() })
