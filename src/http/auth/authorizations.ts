import type { Auth, Credentials as Given } from '../../model/request.ts'
import { secretsOf } from '../../model/secrets-of.ts'
import { defined } from '../../value/defined.ts'
import { authorizationOf, type Authorization, type Credentials, type CredentialsOptions } from './authorization.ts'
import { awsAuthorization } from './aws-signature.ts'
import { clientCredentialsAuthorization } from './client-credentials.ts'
import type { TokenOptions } from './credential-request.ts'
import { refreshTokenAuthorization } from './refresh-token.ts'
import { signedAuthorization } from './signed.ts'
import { jwtAuthorization } from './jwt.ts'
import { sessionAuthorization } from './session.ts'

/** The credentials of an API and of its requests. Equal definitions share their tokens. */
export class Authorizations implements AsyncDisposable {
  readonly #options: TokenOptions
  /** By their definitions as JSON: children may define theirs anew for each parent. */
  readonly #known = new Map<string, Authorization>()
  readonly #knownWithFunction = new WeakMap<Auth, Authorization>()
  readonly #resources = new AsyncDisposableStack()

  constructor(options: TokenOptions) {
    this.#options = options
  }

  of(auth: Given | undefined): Authorization {
    const definition = JSON.stringify(auth ?? [])
    const known = hasFunction(auth) ? undefined : this.#known.get(definition)
    if (known) return known
    const made = isList(auth)
      ? new SeveralAuthorizations(
          auth.map((one) => this.of(one)),
          secretsOf(auth),
        )
      : this.#one(auth)
    if (!hasFunction(auth)) this.#known.set(definition, made)
    return made
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#resources.disposeAsync()
  }

  /** JSON leaves functions out, so two signatures would be taken for one: these are known by identity. */
  #one(auth: Auth | undefined): Authorization {
    const known = auth && this.#knownWithFunction.get(auth)
    if (known) return known
    const made = this.#made(auth)
    if (auth && hasFunction(auth)) this.#knownWithFunction.set(auth, made)
    return made
  }

  #made(auth: Auth | undefined): Authorization {
    const { secrets, now } = this.#options
    switch (auth?.type) {
      case 'client credentials':
        return this.#resources.use(clientCredentialsAuthorization(auth, this.#options))
      case 'refresh token':
        return this.#resources.use(refreshTokenAuthorization(auth, this.#options))
      case 'session':
        return this.#resources.use(sessionAuthorization(auth, { ...this.#options, login: this.of(auth.auth) }))
      case 'jwt':
        return this.#resources.use(jwtAuthorization(auth, this.#options))
      case 'aws signature':
        return awsAuthorization(auth, { secrets, now })
      case 'signed':
        return signedAuthorization(auth, secrets)
      case undefined:
      case 'basic':
      case 'bearer':
      case 'client certificate':
      case 'header':
      case 'query':
        return authorizationOf(auth, secrets)
    }
  }
}

const isList = (auth: Given | undefined): auth is readonly Auth[] => Array.isArray(auth)
const hasFunction = (auth: Given | undefined): boolean =>
  [auth ?? []].flat().some((one) => one.type === 'signed' || (one.type === 'session' && hasFunction(one.auth)))

/** Several credentials of one request, such as a key in a header and a token. */
class SeveralAuthorizations implements Authorization {
  readonly secrets: readonly string[]
  readonly #all: readonly Authorization[]
  /** The parts of credentials that were given out, in the order of `#all`. */
  readonly #parts = new WeakMap<Credentials, readonly Credentials[]>()

  constructor(all: readonly Authorization[], secrets: readonly string[]) {
    this.#all = all
    this.secrets = secrets
  }

  get users(): readonly string[] {
    return this.#all.flatMap(({ users = [] }) => users)
  }

  get parameters(): readonly string[] {
    return this.#all.flatMap(({ parameters }) => parameters)
  }

  async credentials(options: CredentialsOptions): Promise<Credentials> {
    const parts = await Promise.all(this.#all.map((one) => one.credentials(options)))
    const sign = parts.find((part) => part.sign)?.sign
    const cookies = parts.find((part) => part.cookies)?.cookies
    const grant = parts.find((part) => part.grant)?.grant
    const whole: Credentials = {
      ...defined({ sign, cookies, grant }),
      headers: Object.assign({}, ...parts.map(({ headers }) => headers)) as Credentials['headers'],
      query: Object.assign({}, ...parts.map(({ query }) => query)) as Credentials['query'],
    }
    this.#parts.set(whole, parts)
    return whole
  }

  renew(refused: Credentials): boolean {
    const parts = this.#parts.get(refused) ?? []
    const renewed = this.#all.map((one, index) => one.renew(parts[index] ?? refused))
    return renewed.includes(true)
  }
}
