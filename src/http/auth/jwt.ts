import { randomUUID } from 'node:crypto'
import { UsageError } from '../../model/errors.ts'
import type { JwtAuth } from '../../model/jwt.ts'
import type { Secret } from '../../model/request.ts'
import { secretsOf } from '../../model/secrets-of.ts'
import { defined } from '../../value/defined.ts'
import { duration } from '../../value/duration.ts'
import { urlOf } from '../address.ts'
import { usableMs, type TokenOptions } from './credential-request.ts'
import { FetchedToken, type Token } from './fetched-token.ts'
import { readJwtKey, type JwtKey } from './jwt-key.ts'
import { revealed } from './revealed.ts'
import { TokenEndpoint } from './token-request.ts'

/** `iat` lies this far back, because the clock of the server may be behind. */
const BACKDATED_MS = 60_000
const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
const CLIENT_ASSERTION = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

/** Returns credentials by a signed JWT: it is the token, or it is exchanged for one. */
export function jwtAuthorization(auth: JwtAuth, options: TokenOptions): FetchedToken {
  const { tokenUrl } = auth
  const signer = new JwtSigner(auth, options)
  const secrets = secretsOf(auth)
  const { time } = options
  if (tokenUrl === undefined) return new FetchedToken({ secrets, time, fetch: () => ownToken(auth, signer, options) })
  const endpoint = new TokenEndpoint(tokenUrl, options)
  return new FetchedToken({
    secrets,
    time,
    fetch: async (asked) => {
      const { accessToken, lifetimeMs, requestedAt, grant } = await endpoint.request(
        formOf(auth, await signer.sign(), options.secrets),
        {
          ...asked,
          refusal: (reason) =>
            `the signed assertion was refused${reason === undefined ? '' : ` (${reason})`}; ` +
            `check ${secrets.join(' and ')}, the issuer, the subject, ` +
            "the audience and the scope, and this machine's clock",
        },
      )
      return { accessToken, usableUntil: requestedAt + usableMs(lifetimeMs), grant }
    },
  })
}

async function ownToken(auth: JwtAuth, signer: JwtSigner, { time, secrets }: TokenOptions): Promise<Token> {
  const signedAt = time.clock()
  const accessToken = await signer.sign()
  secrets.register?.('signed token', accessToken)
  return { accessToken, usableUntil: signedAt + usableMs(duration(auth.lifetime) - BACKDATED_MS) }
}

function formOf(
  { grant, scope, fields = {} }: JwtAuth,
  assertion: string,
  secrets: TokenOptions['secrets'],
): Record<string, string> {
  const more = revealed(fields, secrets) as Record<string, string>
  if (grant === 'jwt-bearer') return { grant_type: JWT_BEARER, assertion, ...more }
  return {
    grant_type: 'client_credentials',
    client_assertion_type: CLIENT_ASSERTION,
    client_assertion: assertion,
    ...(scope === undefined ? {} : { scope }),
    ...more,
  }
}

class JwtSigner {
  readonly #auth: JwtAuth
  readonly #options: TokenOptions

  constructor(auth: JwtAuth, options: TokenOptions) {
    this.#auth = auth
    this.#options = options
  }

  /** Reads the secrets only now, when a token is needed. */
  async sign(): Promise<string> {
    const { algorithm, key: named, keyId } = this.#auth
    const { secrets } = this.#options
    const key = readJwtKey(secrets.value(named.secret), algorithm, named.secret)
    const kid = this.#text(keyId) ?? key.keyId
    const claims = this.#claims(key)
    const { SignJWT } = await import('jose')
    return new SignJWT(claims)
      .setProtectedHeader({ alg: algorithm, typ: 'JWT', ...(kid === undefined ? {} : { kid }) })
      .sign(key.key)
  }

  #claims(key: JwtKey): Record<string, unknown> {
    const { subject, audience, scope, claims, lifetime, tokenUrl, grant } = this.#auth
    const { now, addresses, secrets } = this.#options
    const isGrant = grant === 'jwt-bearer'
    const iss = this.#text(this.#auth.issuer) ?? key.issuer
    if (iss === undefined && tokenUrl !== undefined)
      throw new UsageError("jwt(): an assertion needs its issuer, as in issuer: 'my-client'")
    // A client that proves who it is speaks of itself.
    const sub = this.#text(subject) ?? (isGrant ? undefined : iss)
    const aud = audience ?? (tokenUrl === undefined ? undefined : urlOf(addresses, { url: tokenUrl, query: {} }).href)
    const iat = Math.floor((now().getTime() - BACKDATED_MS) / 1_000)
    return {
      ...defined({ iss, sub, aud, scope: isGrant ? scope : undefined }),
      iat,
      exp: iat + Math.floor(duration(lifetime) / 1_000),
      // An assertion is used once. Some servers insist on its name.
      ...(tokenUrl === undefined ? {} : { jti: randomUUID() }),
      ...(revealed(claims ?? {}, secrets) as Record<string, unknown>),
    }
  }

  #text(value: string | Secret | undefined): string | undefined {
    return typeof value === 'object' ? this.#options.secrets.value(value.secret) : value
  }
}
