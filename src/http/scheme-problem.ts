// https:// spoken to a port without TLS, or http:// to a port with it. What OpenSSL and the parser say helps nobody.

/** What OpenSSL calls an answer that does not begin like TLS. */
const NOT_TLS = /wrong[ _]version[ _]number|packet[ _]length[ _]too[ _]long|unknown[ _]protocol/i
/** What is left of a connection that a server with TLS has closed without an answer. */
const CLOSED = /other side closed|socket hang up|ECONNRESET/
/** The first byte of an alert of TLS. */
const TLS_ALERT = 0x15
/** What nginx, Apache and Go answer to a request without TLS. */
const SAID_BY_TLS = /\bHTTPS (?:port|server)\b|SSL-enabled server port/i

export interface SchemeProblem {
  readonly text: string
  /** False if the connection may have failed for another reason. */
  readonly isSure: boolean
}

/** Returns what is wrong with the scheme of a URL by the error of its connection; undefined if nothing says so. */
export function schemeProblem(error: unknown, { protocol, host }: URL): SchemeProblem | undefined {
  if (!Error.isError(error)) return undefined
  const { code, data } = error as { readonly code?: unknown; readonly data?: unknown }
  const words = `${error.message} ${String(code)}`
  if (protocol === 'https:' && NOT_TLS.test(words))
    return {
      text:
        `${host} does not speak TLS there. If the API is served without TLS, write http:// in place of https:// in ` +
        'the base URL; otherwise correct the port',
      isSure: true,
    }
  if (protocol !== 'http:') return undefined
  const isAlert = error.name === 'HTTPParserError' && typeof data === 'string' && data.codePointAt(0) === TLS_ALERT
  if (!isAlert && !CLOSED.test(words)) return undefined
  return { text: `if ${host} expects TLS there, write https:// in place of http:// in the base URL`, isSure: isAlert }
}

/** Returns the end of a message about an answer by which a server says that it expects TLS; '' for any other. */
export function tlsExpectedText(
  origin: string,
  { status, text }: { readonly status: number; readonly text: string },
): string {
  if (status !== 400 || !origin.startsWith('http://') || !SAID_BY_TLS.test(text)) return ''
  return '. The server expects TLS at this port: write https:// in place of http:// in the base URL'
}
