import type { Auth, Credentials as Given } from '../../model/request.ts'
import { secretsOf } from '../../model/secrets-of.ts'
import { authorizationOf, type Authorization, type Credentials, type CredentialsOptions } from './authorization.ts'
import { ClientCredentialsAuthorization, type TokenOptions } from './client-credentials.ts'

/** The credentials of an API and of its requests. Equal definitions share their tokens. */
export class Authorizations implements Disposable {
  readonly #options: TokenOptions
  /** By their definitions as JSON: children may define theirs anew for each parent. */
  readonly #known = new Map<string, Authorization>()
  readonly #resources = new DisposableStack()

  constructor(options: TokenOptions) {
    this.#options = options
  }

  of(auth: Given | undefined): Authorization {
    const definition = JSON.stringify(auth ?? [])
    const known = this.#known.get(definition)
    if (known) return known
    const made = isList(auth)
      ? new SeveralAuthorizations(
          auth.map((one) => this.of(one)),
          secretsOf(auth),
        )
      : this.#one(auth)
    this.#known.set(definition, made)
    return made
  }

  [Symbol.dispose](): void {
    this.#resources[Symbol.dispose]()
  }

  #one(auth: Auth | undefined): Authorization {
    return auth?.type === 'client credentials'
      ? this.#resources.use(new ClientCredentialsAuthorization(auth, this.#options))
      : authorizationOf(auth, this.#options.secrets)
  }
}

const isList = (auth: Given | undefined): auth is readonly Auth[] => Array.isArray(auth)

/** Several credentials of one request, such as a key in a header and a token. */
class SeveralAuthorizations implements Authorization {
  readonly secrets: readonly string[]
  readonly parameters: readonly string[]
  readonly #all: readonly Authorization[]
  /** The parts of credentials that were given out, in the order of `#all`. */
  readonly #parts = new WeakMap<Credentials, readonly Credentials[]>()

  constructor(all: readonly Authorization[], secrets: readonly string[]) {
    this.#all = all
    this.secrets = secrets
    this.parameters = all.flatMap(({ parameters }) => parameters)
  }

  async credentials(options: CredentialsOptions): Promise<Credentials> {
    const parts = await Promise.all(this.#all.map((one) => one.credentials(options)))
    const whole: Credentials = {
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
