import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { UsageError } from '../../model/errors.ts'

/** Fewer could be guessed. */
const SHORTEST = 16
const COOKIE = 'sluice'
const WEEK_S = 7 * 86_400

/**
 * What every request has to bring, and the cookie that stands for it in a browser: that one ends, and does not tell the
 * token.
 */
export class Token {
  readonly #token: string

  constructor(token: string) {
    if (token.length < SHORTEST)
      throw new UsageError(
        `the server's token has ${token.length} characters, which could be guessed: give at least ${SHORTEST}, as from \`openssl rand -hex 32\``,
      )
    this.#token = token
  }

  /** Takes as long for a wrong token as for a nearly right one. */
  is(given: string): boolean {
    return timingSafeEqual(digest(given), digest(this.#token))
  }

  /** By its header, or by its cookie. */
  isBrought({
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

  /** A `set-cookie` that stands for the token for a week, in this browser, for pages of this server only. */
  cookie({ secure }: { readonly secure: boolean }): string {
    const until = String(Math.floor(Date.now() / 1_000) + WEEK_S)
    return `${COOKIE}=${until}.${this.#sign(until)}; Path=/; Max-Age=${WEEK_S}; HttpOnly; SameSite=Strict${secure ? '; Secure' : ''}`
  }

  #sign(until: string): string {
    return createHmac('sha256', this.#token).update(`sluice session until ${until}`).digest('base64url')
  }
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
