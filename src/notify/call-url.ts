import { EnvHttpProxyAgent, request } from 'undici'
import { proxiesOf } from '../http/connections.ts'
import { UsageError } from '../model/errors.ts'

export interface CallOptions {
  /** JSON that is sent by POST. @default nothing, by GET */
  readonly body?: string
  readonly headers?: Readonly<Record<string, string>>
  /** `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`. */
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly signal: AbortSignal
}

/** Bytes of an answer that an error shows. */
const MAX_SHOWN = 200

/** Calls a URL. Throws if the answer is no success; a redirect is none, so that an address cannot be led away. */
export async function callUrl(url: string, { body, headers, environment, signal }: CallOptions): Promise<void> {
  // The message leaves the value out: it is a secret.
  if (!/^https?:\/\//.test(url) || !URL.canParse(url))
    throw new UsageError('its address is not a URL that begins with https:// or http://')
  await using agent = disposable(new EnvHttpProxyAgent(proxiesOf(environment)))
  const response = await request(url, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { ...(body !== undefined && { 'content-type': 'application/json' }), 'user-agent': 'sluice', ...headers },
    ...(body !== undefined && { body }),
    signal,
    dispatcher: agent.agent,
  })
  const text = await beginOf(response.body)
  if (response.statusCode >= 200 && response.statusCode < 300) return
  throw new Error(`it answered ${response.statusCode}${text === '' ? '' : `: ${text}`}`)
}

/** Returns the beginning of a body, and reads no more of it: a receiver may answer without end. */
async function beginOf(body: AsyncIterable<Buffer>): Promise<string> {
  let begin = Buffer.alloc(0)
  for await (const chunk of body) {
    begin = Buffer.concat([begin, chunk])
    if (begin.length >= MAX_SHOWN) break
  }
  return begin.subarray(0, MAX_SHOWN).toString()
}

const disposable = (agent: EnvHttpProxyAgent) => ({ agent, [Symbol.asyncDispose]: () => agent.destroy() })
