import type { Dispatcher } from 'undici'
import type { TransportApi } from '../../http/transport.ts'

/**
 * Sends the requests of an API to a fake one. The base is replaced by the fake's URL, and the usual headers of a proxy
 * name the address that the client knows, so that links in answers lead to it.
 */
export function throughFake(fake: string, { base, network }: TransportApi): Dispatcher {
  const own = new URL(base)
  const target = new URL(fake)
  const prefix = own.pathname.replace(/\/+$/, '')
  return network.compose((dispatch) => (options, handler) => {
    const origin = new URL(String(options.origin))
    const isBelow = origin.origin === own.origin && (options.path === prefix || options.path.startsWith(`${prefix}/`))
    const path = isBelow && prefix !== '' ? options.path.slice(prefix.length) || '/' : options.path
    const headers = {
      ...(options.headers as Record<string, string>),
      'x-forwarded-host': origin.host,
      'x-forwarded-proto': origin.protocol.slice(0, -1),
      ...(isBelow && { 'x-forwarded-prefix': prefix }),
    }
    return dispatch({ ...options, origin: target.origin, path, headers }, handler)
  })
}

/** True for an address of this machine, which needs no network. */
export const isOfThisMachine = ({ hostname }: URL): boolean =>
  hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname)
