import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { UsageError } from '../../model/errors.ts'

/** A shorter token could be guessed. */
const MIN_LENGTH = 16
const COOKIE = 'sluice'
const WEEK_S = 7 * 86_400

/** The secret that every request has to send, as a header or as a cookie. The cookie expires, and hides the token. */
export class Token {
  readonly #token: string

  constructor(token: string) {
    if (token.length < MIN_LENGTH)
      throw new UsageError(
        `the server's token has ${token.length} ${token.length === 1 ? 'character' : 'characters'}, ` +
          `which could be guessed: use at least ${MIN_LENGTH}, for example the output of openssl rand -hex 32`,
      )
    this.#token = token
  }

  /** Compares in constant time, so that the time does not reveal how much of a wrong token is right. */
  is(given: string): boolean {
    return timingSafeEqual(digest(given), digest(this.#token))
  }

  /** Returns true if the headers have the token or its cookie. */
  isIn({
    authorization,
    cookie,
  }: {
    readonly authorization?: string | undefined
    readonly cookie?: string | undefined
  }): boolean {
    const [, bearer] = /^Bearer +(\S+)$/i.exec(authorization ?? '') ?? []
    if (bearer !== undefined) return this.is(bearer)
    const [, until, sign] =
      new RegExp(`(?:^|;\\s*)${COOKIE}=(\\d{1,12})\\.([\\w-]{43})(?:;|$)`).exec(cookie ?? '') ?? []
    return (
      until !== undefined &&
      sign !== undefined &&
      timingSafeEqual(digest(sign), digest(this.#sign(until))) &&
      Number(until) > Date.now() / 1_000
    )
  }

  /** Returns a `set-cookie` header that replaces the token for a week, for pages of this server only. */
  cookie({ secure }: { readonly secure: boolean }): string {
    const until = String(Math.floor(Date.now() / 1_000) + WEEK_S)
    const value = `${until}.${this.#sign(until)}`
    return `${COOKIE}=${value}; Path=/; Max-Age=${WEEK_S}; HttpOnly; SameSite=Strict${secure ? '; Secure' : ''}`
  }

  #sign(until: string): string {
    return createHmac('sha256', this.#token).update(`sluice session until ${until}`).digest('base64url')
  }
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
