import type { Auth, Credentials as Given } from '../../model/request.ts'
import { secretsOf } from '../../model/secrets-of.ts'
import { defined } from '../../value/defined.ts'
import { authorizationOf, type Authorization, type Credentials, type CredentialsOptions } from './authorization.ts'
import { awsAuthorization } from './aws-signature.ts'
import { clientCredentialsAuthorization } from './client-credentials.ts'
import { signedAuthorization, type SignedAuth } from './signed.ts'
import type { TokenOptions } from './token-request.ts'

/** The credentials of an API and of its requests. Equal definitions share their tokens. */
export class Authorizations implements Disposable {
  readonly #options: TokenOptions
  /** By their definitions as JSON: children may define theirs anew for each parent. */
  readonly #known = new Map<string, Authorization>()
  readonly #knownSigned = new WeakMap<SignedAuth, Authorization>()
  readonly #resources = new DisposableStack()

  constructor(options: TokenOptions) {
    this.#options = options
  }

  of(auth: Given | undefined): Authorization {
    const definition = JSON.stringify(auth ?? [])
    const known = isSigned(auth) ? undefined : this.#known.get(definition)
    if (known) return known
    const made = isList(auth)
      ? new SeveralAuthorizations(
          auth.map((one) => this.of(one)),
          secretsOf(auth),
        )
      : this.#one(auth)
    if (!isSigned(auth)) this.#known.set(definition, made)
    return made
  }

  [Symbol.dispose](): void {
    this.#resources[Symbol.dispose]()
  }

  #one(auth: Auth | undefined): Authorization {
    const { secrets, now } = this.#options
    if (auth?.type === 'client credentials')
      return this.#resources.use(clientCredentialsAuthorization(auth, this.#options))
    if (auth?.type === 'aws signature') return awsAuthorization(auth, { secrets, now })
    return auth?.type === 'signed' ? this.#signed(auth) : authorizationOf(auth, secrets)
  }

  /** JSON leaves functions out, so two signatures would be taken for one: these are known by identity. */
  #signed(auth: SignedAuth): Authorization {
    const known = this.#knownSigned.get(auth)
    if (known) return known
    const made = signedAuthorization(auth, this.#options.secrets)
    this.#knownSigned.set(auth, made)
    return made
  }
}

const isList = (auth: Given | undefined): auth is readonly Auth[] => Array.isArray(auth)
const isSigned = (auth: Given | undefined): boolean => [auth ?? []].flat().some(({ type }) => type === 'signed')

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

  get parameters(): readonly string[] {
    return this.#all.flatMap(({ parameters }) => parameters)
  }

  async credentials(options: CredentialsOptions): Promise<Credentials> {
    const parts = await Promise.all(this.#all.map((one) => one.credentials(options)))
    const sign = parts.find((part) => part.sign)?.sign
    const whole: Credentials = {
      ...defined({ sign }),
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
