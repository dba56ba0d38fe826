// Credentials and headers as the command line gives them.
import { UsageError } from '../model/errors.ts'
import type { Secrets } from '../model/scope.ts'
import type { FoundAuth } from './found.ts'

const FORMS =
  'bearer:VARIABLE, basic:USER:VARIABLE, header:NAME:VARIABLE, header:NAME:SCHEME:VARIABLE or query:NAME:VARIABLE'

/**
 * Returns the credentials of `--auth`. A secret is given by the name of its environment variable. Throws a UsageError
 * for another form, or if the variable is not set. Where nothing is sent, a name that is surely one need not be set.
 */
export function readAuth(text: string, secrets: Pick<Secrets, 'isSet'>, { sends = true } = {}): FoundAuth {
  const [kind = '', ...words] = text.split(':')
  const variable = words.at(-1) ?? ''
  if (!/^[A-Za-z_]\w*$/.test(variable))
    // The text may be the secret itself, so it is not shown.
    throw new UsageError(
      `--auth ${kind.slice(0, 8)}:…: give it as ${FORMS}. VARIABLE is the name of an environment variable`,
    )
  const value = { secret: variable }
  const [name = '', scheme = ''] = words
  const auth = authOf(kind, words.length, { name, scheme, value })
  if (!auth || (words.length > 1 && name === '')) throw new UsageError(`--auth ${kind}: give it as ${FORMS}`)
  const needsValue = sends || !/^[A-Z]+$|^[A-Z][A-Z0-9]*(_[A-Z0-9]+)+$/.test(variable)
  if (needsValue && secrets.isSet?.(variable) === false)
    throw new UsageError(
      // Another text may be the secret itself, so it is not shown.
      `${/^[A-Z][A-Z0-9_]*$/.test(variable) ? variable : `the variable that --auth ${kind} names`} is not set in the ` +
        `environment or in .env. ${sends ? '--auth needs its value to send it' : 'It would stand in the file'}`,
    )
  return auth
}

function authOf(
  kind: string,
  count: number,
  { name, scheme, value }: { name: string; scheme: string; value: { secret: string } },
): FoundAuth | undefined {
  switch (`${kind} ${count}`) {
    case 'bearer 1':
      return { type: 'bearer', token: value }
    case 'basic 2':
      return { type: 'basic', user: name, password: value }
    case 'header 2':
      return { type: 'header', name, value }
    case 'header 3':
      return { type: 'header', name, value, scheme }
    case 'query 2':
      return { type: 'query', name, value }
    default:
      return undefined
  }
}

/** Returns the headers of `--header`. Throws a UsageError for credentials: they would stand in the file. */
export function readHeaders(texts: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    texts.map((text) => {
      const [, name = '', value = ''] = /^([\w!#$%&'*+.^`|~-]+):\s*(.*)$/.exec(text) ?? []
      if (name === '') throw new UsageError(`--header: give it as 'Name: value'`)
      if (/auth|cookie|token|secret|key|password|session/i.test(name) && !/^idempotency/i.test(name))
        throw new UsageError(
          `--header ${name}: its value looks like a secret, which would stand in the file. Set it as an environment ` +
            `variable, and give --auth header:${name}:VARIABLE`,
        )
      return [name.toLowerCase(), value.trim()]
    }),
  )
}
