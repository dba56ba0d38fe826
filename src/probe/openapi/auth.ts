// Which credentials does the API want? Their values stay in the environment, under names that are made here.
import type { FoundAuth } from '../found.ts'
import type { Description } from './description.ts'
import { isNode, listAt, type Node, nodeAt, nodeOf, textAt } from './node.ts'
import type { Operation } from './operations.ts'

export interface AuthFound {
  readonly auth: readonly FoundAuth[]
  readonly questions: readonly string[]
}

/** Returns the credentials that most of the operations want, as far as a pipeline can send them. */
export function authOf(
  description: Description,
  operations: readonly Operation[],
  { base, prefix }: { readonly base: string; readonly prefix: string },
): AuthFound {
  const schemes = schemesOf(description)
  if (isOptional(description, operations))
    return { auth: [], questions: ['do some records need credentials? The description says that it works without.'] }
  const [requirement, isStated] = requirementOf(description, operations, Object.keys(schemes))
  const parts = requirement.map((name) => schemeAuth(nodeAt(schemes, name), { name, base, prefix, description }))
  const auth = parts.flatMap((part) => part.auth)
  const questions = parts.flatMap((part) => part.questions)
  if (requirement.length === 0 && Object.keys(schemes).length === 0)
    return { auth: [], questions: ['does the API want credentials? The description names none.'] }
  if (!isStated) questions.push('does the API want these credentials? The description defines them, and requires none.')
  return { auth: distinct(auth), questions }
}

const schemesOf = ({ root, isSwagger }: Description): Node =>
  isSwagger ? nodeAt(root, 'securityDefinitions') : nodeAt(nodeAt(root, 'components'), 'securitySchemes')

const alternativesOf = ({ root }: Description, { node }: Operation): readonly unknown[] =>
  Array.isArray(node['security']) ? listAt(node, 'security') : listAt(root, 'security')

/** True if each operation names no credentials as one of several ways: wrong ones would be refused. */
const isOptional = (description: Description, operations: readonly Operation[]): boolean =>
  operations.length > 0 &&
  operations.every((operation) =>
    alternativesOf(description, operation).some((one) => isNode(one) && Object.keys(one).length === 0),
  )

/** Returns the names of the schemes that are sent together, and whether the description requires them. */
function requirementOf(
  description: Description,
  operations: readonly Operation[],
  names: readonly string[],
): [readonly string[], boolean] {
  const counts = new Map<string, { readonly names: readonly string[]; count: number; readonly rank: number }>()
  for (const operation of operations) {
    const usable = alternativesOf(description, operation)
      .map((one) => Object.keys(nodeOf(one)))
      .filter((all) => all.length > 0 && all.every((name) => names.includes(name)))
      .map((all) => ({ all, rank: rankOf(all, description) }))
      .toSorted((one, other) => one.rank - other.rank)
    const [best] = usable
    if (!best) continue
    const key = best.all.join(' ')
    const known = counts.get(key) ?? { names: best.all, count: 0, rank: best.rank }
    known.count += 1
    counts.set(key, known)
  }
  const [most] = [...counts.values()].toSorted((one, other) => other.count - one.count)
  if (most) return [most.names, true]
  const [first] = names.map((name) => ({ name, rank: rankOf([name], description) })).toSorted((a, b) => a.rank - b.rank)
  const isRequired = operations.some(({ node }) => listAt(node, 'security').length > 0)
  return [first ? [first.name] : [], isRequired]
}

/** What needs no person comes first; what cannot be sent comes last. */
function rankOf(names: readonly string[], description: Description): number {
  const ranks = names.map((name) => {
    const scheme = description.nodeOf(schemesOf(description)[name])
    const type = textAt(scheme, 'type')?.toLowerCase()
    if (type === 'http') return /^(bearer|basic)$/i.test(textAt(scheme, 'scheme') ?? '') ? 0 : 9
    if (type === 'apikey') return textAt(scheme, 'in') === 'cookie' ? 9 : 0
    if (type === 'basic') return 0
    if (type === 'oauth2') return clientFlow(scheme) ? 1 : 2
    return type === 'openidconnect' ? 2 : 9
  })
  return Math.max(...ranks)
}

interface Place {
  readonly name: string
  readonly base: string
  /** Of the names of environment variables, such as `PETSTORE`. */
  readonly prefix: string
  readonly description: Description
}

function schemeAuth(given: Node, place: Place): AuthFound {
  const scheme = place.description.nodeOf(given)
  const { prefix } = place
  const token = { secret: `${prefix}_TOKEN` }
  const type = textAt(scheme, 'type') ?? ''
  switch (type.toLowerCase()) {
    case 'http': {
      const kind = textAt(scheme, 'scheme')?.toLowerCase()
      if (kind === 'bearer') return { auth: [{ type: 'bearer', token }], questions: [] }
      if (kind === 'basic') return basicAuth(prefix)
      return unknownAuth(place, `HTTP authentication '${kind ?? ''}'`)
    }
    case 'basic':
      return basicAuth(prefix)
    case 'apikey':
      return keyAuth(scheme, place)
    case 'oauth2':
      return oauth(scheme, place)
    case 'openidconnect':
      return {
        auth: [{ type: 'bearer', token }],
        questions: ['where does the token come from? The API wants OpenID Connect (docs/CREDENTIALS.md).'],
      }
    default:
      return unknownAuth(place, `'${type}'`)
  }
}

function basicAuth(prefix: string): AuthFound {
  return {
    auth: [{ type: 'basic', user: 'user', password: { secret: `${prefix}_PASSWORD` } }],
    questions: ["which user logs in? 'user' stands there now. Some APIs want a key as the user, or as the password."],
  }
}

function keyAuth(scheme: Node, place: Place): AuthFound {
  const name = textAt(scheme, 'name') ?? 'authorization'
  const value = { secret: `${place.prefix}_KEY` }
  const where = textAt(scheme, 'in')
  if (where === 'query') return { auth: [{ type: 'query', name, value }], questions: [] }
  if (where !== 'header') return unknownAuth(place, `a key in the cookie '${name}'`)
  if (!/^authorization$/i.test(name)) return { auth: [{ type: 'header', name, value }], questions: [] }
  const text = `${textAt(scheme, 'description') ?? ''} ${place.name}`
  if (/\bbearer\b/i.test(text) || /bearer/i.test(place.name))
    return { auth: [{ type: 'bearer', token: { secret: `${place.prefix}_TOKEN` } }], questions: [] }
  const word = /\b(Token|Basic|ApiKey|Key|Klaviyo-API-Key)\s+(?:[<{[$]|token=|your)/i.exec(text)?.[1]
  return {
    auth: [{ type: 'header', name: 'authorization', value, ...(word !== undefined && { scheme: word }) }],
    questions:
      word === undefined
        ? ["does a word stand before the key, as in 'Bearer …' or 'Token …'? The description names none (scheme)."]
        : [],
  }
}

interface ClientFlow {
  readonly tokenUrl: string
  readonly scopes: readonly string[]
}

function clientFlow(scheme: Node): ClientFlow | undefined {
  const flows = nodeAt(scheme, 'flows')
  const own = flows['clientCredentials'] ?? (textAt(scheme, 'flow') === 'application' ? scheme : undefined)
  if (!isNode(own)) return undefined
  const tokenUrl = textAt(own, 'tokenUrl')
  return tokenUrl === undefined ? undefined : { tokenUrl, scopes: Object.keys(nodeAt(own, 'scopes')) }
}

const MAX_SCOPES = 10

function oauth(scheme: Node, { base, prefix }: Place): AuthFound {
  const flow = clientFlow(scheme)
  if (!flow)
    return {
      auth: [{ type: 'bearer', token: { secret: `${prefix}_TOKEN` } }],
      questions: [
        'where does the token come from? The API wants OAuth 2 with a login: refreshToken(…) renews it, ' +
          'and `sluice login` gets the first one (docs/CREDENTIALS.md).',
      ],
    }
  const read = flow.scopes.filter((scope) => /read|view|list/i.test(scope) && !/write|admin|delete/i.test(scope))
  const scopes = read.length > 0 ? read : flow.scopes
  const tokenUrl = URL.canParse(flow.tokenUrl, `${base}/`) ? new URL(flow.tokenUrl, `${base}/`).href : flow.tokenUrl
  return {
    auth: [
      {
        type: 'client credentials',
        tokenUrl,
        clientId: { secret: `${prefix}_CLIENT_ID` },
        clientSecret: { secret: `${prefix}_CLIENT_SECRET` },
        ...(scopes.length > 0 && { scope: scopes.slice(0, MAX_SCOPES).join(' ') }),
      },
    ],
    questions: scopes.length > 1 ? ['which scopes does the client have? Keep those in `scope`.'] : [],
  }
}

const unknownAuth = ({ name }: Place, what: string): AuthFound => ({
  auth: [],
  questions: [`how are requests let in? The description wants ${what} ('${name}'). docs/CREDENTIALS.md has the words.`],
})

/** Two schemes may be sent in one place; the first one is kept. */
function distinct(auth: readonly FoundAuth[]): FoundAuth[] {
  const places = new Map<string, FoundAuth>()
  for (const one of auth) {
    const place =
      one.type === 'query' || one.type === 'header' ? `${one.type} ${one.name.toLowerCase()}` : 'authorization'
    if (!places.has(place)) places.set(place, one)
  }
  return [...places.values()]
}
