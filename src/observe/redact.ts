const SECRET_NAMES = [
  'api_key',
  'apikey',
  'api-key',
  'x-api-key',
  'key',
  'token',
  'access_token',
  'access-token',
  'refresh_token',
  'id_token',
  'auth_token',
  'secret',
  'client_secret',
  'client-secret',
  'password',
  'passwd',
  'pwd',
  'signature',
  'sig',
  'authorization',
]
const NAMED = new Set(SECRET_NAMES)
const IN_TEXT = new RegExp(
  String.raw`(?<![\w-])(["']?(?:${SECRET_NAMES.join('|')})["']?\s*[=:]\s*["']?)(?:(?:Bearer|Basic)\s+)?[^\s&"'<>,;}]+`,
  'gi',
)
const SCHEME = /\b(Bearer|Basic)\s+[\w.~+/=-]{8,}/g
/** Servers of Java write the session of a client without cookies into the path. */
const SESSION_IN_PATH = /(;jsessionid=)[^\s/;?#"'<>]+/gi
const USER = /(\b[a-z][a-z\d+.-]*:\/\/)[^\s/@?#]+@/gi

/** Returns a URL for logs and errors: the user and parameters that are named like a secret become `***`. */
export function redactUrl(url: string | URL): string {
  const [whole = '', fragment] = String(url).split('#', 2)
  const at = whole.indexOf('?')
  const bare = (at < 0 ? whole : whole.slice(0, at)).replace(USER, '$1***@').replace(SESSION_IN_PATH, '$1***')
  const query =
    at < 0
      ? ''
      : `?${whole
          .slice(at + 1)
          .split('&')
          .map(redactParameter)
          .join('&')}`
  return bare + query + (fragment === undefined ? '' : `#${redactText(fragment)}`)
}

function redactParameter(parameter: string): string {
  const [name = ''] = parameter.split('=', 1)
  return NAMED.has(decoded(name).toLowerCase()) && name.length < parameter.length ? `${name}=***` : parameter
}

/** Returns a foreign text for logs and errors: a value after a name like that of a secret becomes `***`. */
export function redactText(text: string): string {
  return text
    .replace(USER, '$1***@')
    .replace(SESSION_IN_PATH, '$1***')
    .replace(IN_TEXT, '$1***')
    .replace(SCHEME, '$1 ***')
}

/**
 * Removes secrets from an error, its location, its stack and its causes. Libraries may quote one in a message.
 */
export function redactError(error: unknown, hide: (text: string) => string): void {
  const seen = new Set<unknown>()
  for (let at = error; Error.isError(at) && !seen.has(at); at = at.cause) {
    seen.add(at)
    const { message, stack } = at
    if (hide(message) !== message)
      Object.defineProperty(at, 'message', {
        value: hide(message),
        configurable: true,
        writable: true,
        enumerable: false,
      })
    if (stack !== undefined && hide(stack) !== stack)
      Object.defineProperty(at, 'stack', { value: hide(stack), configurable: true, writable: true, enumerable: false })
    if ('location' in at && typeof at.location === 'string' && hide(at.location) !== at.location)
      at.location = hide(at.location)
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
