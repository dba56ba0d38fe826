import { randomUUID } from 'node:crypto'
import { LinkedSignal } from '../../flow/signals/linked-signal.ts'
import { sleep } from '../../flow/signals/sleep.ts'
import { HttpError, UsageError } from '../../model/errors.ts'
import type { Auth } from '../../model/request.ts'
import type { NewTokens, StoredTokens, TokenChain } from '../../model/tokens.ts'
import { secretsOf } from '../../model/secrets-of.ts'
import { digest } from '../../value/digest.ts'
import { codeOf, TransientError } from '../request-error.ts'
import { FetchedToken, type FetchOptions, type Token } from './fetched-token.ts'
import { RefusedError, usableMs, type TokenOptions } from './credential-request.ts'
import { clientForm, TokenEndpoint, type TokenResponse } from './token-request.ts'

export type RefreshTokenAuth = Extract<Auth, { type: 'refresh token' }>

/** A refresh may take its request's time limit, and this long to be stored. Then it counts as interrupted. */
const STORE_MS = 10_000
/** Look this often whether another process has ended its refresh. */
const LOOK_EVERY_MS = 200
/** A wait for the refresh of another process becomes an event after the first of these times, then again and again. */
const QUIET_MS = 2_000
const REPORT_EVERY_MS = 5_000
/** A request that is under way when the client is closed gets this long: its answer may hold the only valid token. */
const CLOSE_MS = 3_000
/** Storing new tokens is tried this long: nobody else knows them. */
const MAX_STORE_MS = 120_000
/** Failures before anything was sent. */
const NOT_SENT = ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'UND_ERR_CONNECT_TIMEOUT']

/**
 * Returns credentials by the access token of a refresh token. All processes share both, and one of them refreshes at a
 * time.
 *
 * | step of a refresh | a process that is killed after it |
 * |---|---|
 * | read the stored tokens; an access token that is still usable ends here | did nothing |
 * | record the refresh as under way | leaves the mark. The next process waits until it has expired, then refreshes |
 * | send the refresh token | the same. If the server has replaced it, it refuses the next use, and an error says why |
 * | store what the server gave | lost nothing |
 * | use the access token | |
 */
export function refreshTokenAuthorization(auth: RefreshTokenAuth, options: TokenOptions): FetchedToken {
  const refresher = new Refresher(auth, options)
  return new FetchedToken({
    secrets: secretsOf(auth),
    time: options.time,
    fetch: (asked) => refresher.fetch(asked),
    close: () => refresher.close(),
  })
}

/** Names the chain of a refresh token for the ledger. */
export function tokenChain(auth: RefreshTokenAuth, { href }: TokenEndpoint, options: TokenOptions): TokenChain {
  const { secrets, tokens } = options
  if (!tokens)
    throw new UsageError(
      'refreshToken() needs the database of a run, which keeps its tokens: use run() or `sluice run`. ' +
        'Records that are read without a database cannot have them',
    )
  const variable = auth.refreshToken.secret
  return tokens.chain({
    tokenUrl: href,
    clientId: clientForm({ clientId: auth.clientId }, secrets)['client_id'] ?? '',
    variable,
    first: secrets.isSet?.(variable) === false ? undefined : secrets.value(variable),
  })
}

/** Digest of what an access token is asked for with: one with another scope is another token. */
export const purposeOf = ({ scope, fields }: RefreshTokenAuth): string => digest({ scope, fields })

class Refresher {
  readonly #auth: RefreshTokenAuth
  readonly #options: TokenOptions
  readonly #endpoint: TokenEndpoint
  readonly #purpose: string
  #chain: TokenChain | undefined
  /** What a cancelled caller must not end: from the claim to the store. */
  readonly #critical = new LinkedSignal()
  #underWay: Promise<unknown> = Promise.resolve()
  /** The server has given these tokens, and the database could not be reached since. */
  #unstored: { readonly generation: string; readonly response: TokenResponse } | undefined

  constructor(auth: RefreshTokenAuth, options: TokenOptions) {
    this.#auth = auth
    this.#options = options
    this.#endpoint = new TokenEndpoint(auth.tokenUrl, options, auth.clientSecretIn)
    this.#purpose = purposeOf(auth)
  }

  async fetch(options: FetchOptions): Promise<Token> {
    const { time } = this.#options
    const { signal, refused } = options
    const chain = (this.#chain ??= tokenChain(this.#auth, this.#endpoint, this.#options))
    // A refresh takes a moment. Only a longer wait is worth an event.
    let reportAt = time.clock() + QUIET_MS
    for (;;) {
      const kept = this.#unstored && (await this.#guarded(() => this.#store(chain)))
      if (kept) return kept
      const readAt = time.clock()
      const stored = await chain.read({ signal })
      const { access, heldMs } = stored
      if (access && access.usableMs > 0 && access.purpose === this.#purpose && access.token !== refused)
        return { accessToken: access.token, usableUntil: readAt + access.usableMs }
      if (heldMs > 0) {
        if (time.clock() >= reportAt) {
          const ms = Math.min(heldMs, REPORT_EVERY_MS)
          options.onWait?.('token', ms)
          reportAt = time.clock() + ms
        }
        // Real time: the ledger's clock does not move by virtual waits.
        await sleep(Math.min(heldMs, LOOK_EVERY_MS), { signal })
        continue
      }
      await this.#endpoint.admit(options)
      const token = await this.#guarded(() => this.#refresh(chain, stored, options))
      if (token) return token
    }
  }

  /** Waits for a refresh that is under way, for a few seconds. */
  async close(): Promise<void> {
    const timer = setTimeout(() => this.#critical.abort(new Error('The client of this API was closed')), CLOSE_MS)
    await this.#underWay
    clearTimeout(timer)
  }

  async #guarded<T>(work: () => Promise<T>): Promise<T> {
    const running = work()
    this.#underWay = running.catch(() => {})
    return running
  }

  /** Returns undefined if another process was faster: its token is read next. */
  async #refresh(chain: TokenChain, stored: StoredTokens, { stream }: FetchOptions): Promise<Token | undefined> {
    const { generation, refreshToken } = stored
    const { signal } = this.#critical
    if (refreshToken === undefined) throw this.#noToken()
    // Before the claim: a secret that is missing must not look like an answer that was lost.
    const form = this.#form(refreshToken)
    const holder = randomUUID()
    const validMs = this.#options.timeoutMs + STORE_MS
    const lostAnswers = await chain.claim({ generation, holder, validMs, signal })
    if (lostAnswers === undefined) return undefined
    try {
      const response = await this.#endpoint.request(form, {
        isAdmitted: true,
        signal,
        stream,
        refusal: (reason) => this.#refusal(reason, lostAnswers),
      })
      this.#unstored = { generation, response }
    } catch (error) {
      const isLost = mayHaveArrived(error)
      // If this fails too, the claim expires and counts as lost.
      await chain.release({ holder, isLost, signal }).catch(() => {})
      if (error instanceof RefusedError && (await chain.read({ signal })).generation !== generation) return undefined
      throw error
    }
    return this.#store(chain)
  }

  /**
   * Stores what the server gave. Until that has succeeded it is kept here, and not used. Returns undefined if the
   * ledger has newer tokens.
   */
  async #store(chain: TokenChain): Promise<Token | undefined> {
    if (!this.#unstored) return undefined
    const { generation, response } = this.#unstored
    const { signal } = this.#critical
    const { clock } = this.#options.time
    const usableUntil = response.requestedAt + usableMs(response.lifetimeMs)
    const last = performance.now() + MAX_STORE_MS
    for (;;) {
      try {
        const tokens = newTokens(response, this.#purpose, usableUntil - clock())
        const isStored = await chain.store(tokens, { generation, signal })
        this.#unstored = undefined
        return isStored ? { accessToken: response.accessToken, usableUntil, grant: response.grant } : undefined
      } catch (error) {
        signal.throwIfAborted()
        if (error instanceof UsageError || performance.now() > last) throw error
        await sleep(1_000, { signal })
      }
    }
  }

  #form(refreshToken: string): Readonly<Record<string, string>> {
    const { scope, fields } = this.#auth
    return {
      grant_type: 'refresh_token',
      refresh_token: refreshToken,
      ...clientForm(this.#auth, this.#options.secrets),
      ...(scope === undefined ? {} : { scope }),
      ...fields,
    }
  }

  #noToken(): UsageError {
    const variable = this.#auth.refreshToken.secret
    const login = this.#canLogIn ? 'Run sluice login for its pipeline, or set' : 'Set'
    return new UsageError(`${variable} is not set, and the database keeps no token for it. ${login} ${variable}`)
  }

  #refusal(reason: string | undefined, lostAnswers: number): string {
    const { clientSecret, refreshToken } = this.#auth
    const code = reason === undefined ? '' : ` (${reason})`
    if (reason === 'invalid_client' || reason === 'unauthorized_client')
      return `the client was refused${code}; check ${clientSecret ? clientSecret.secret : 'clientId'}`
    if (reason === 'invalid_scope') return `the scope was refused${code}; check scope`
    const variable = refreshToken.secret
    const cause =
      lostAnswers > 0
        ? `An earlier refresh was interrupted: the server has probably replaced the token, and its answer was lost`
        : `It has expired, was revoked, or was used by another program`
    const login = this.#canLogIn ? 'sluice login for its pipeline, or by ' : ''
    return `the refresh token was refused${code}. ${cause}. Begin anew by ${login}a new token in ${variable}`
  }

  get #canLogIn(): boolean {
    return this.#auth.authorizationUrl !== undefined || this.#auth.deviceUrl !== undefined
  }
}

/** Returns the tokens of an answer, for the ledger. */
export function newTokens({ accessToken, fields }: TokenResponse, purpose: string, usableMs: number): NewTokens {
  const { refresh_token: refreshToken } = fields
  return {
    refreshToken: typeof refreshToken === 'string' && refreshToken !== '' ? refreshToken : undefined,
    access: { token: accessToken, purpose, usableMs },
  }
}

/** Returns true if the server may have replaced the refresh token although its answer is not known. */
function mayHaveArrived(error: unknown): boolean {
  const status = error instanceof HttpError || error instanceof TransientError ? error.status : 0
  if (status > 0) return status > 499
  const cause = Error.isError(error) ? error.cause : undefined
  return !(error instanceof HttpError) && !NOT_SENT.includes(codeOf(cause))
}
