import type { Database } from '../database/database.ts'
import { isTransient } from '../database/errors.ts'
import { sleep } from '../flow/signals/sleep.ts'
import { UsageError } from '../model/errors.ts'
import type { Secrets } from '../model/scope.ts'
import { SECRET_KEY } from '../model/secrets-of.ts'
import type { NewTokens, StoredAccess, TokenChain, TokenChainName, TokenStore } from '../model/tokens.ts'
import { readSecretKey, type SecretKey } from '../observe/secret-key.ts'
import { digest } from '../value/digest.ts'
import { storableText } from '../value/text.ts'

const MAX_ATTEMPTS = 5

interface Row {
  readonly id: string
  readonly key_id: string | null
  readonly generation: string
  readonly refresh_token: Uint8Array | null
  readonly access_token: Uint8Array | null
  readonly purpose: string | null
  readonly usable_ms: number | null
  readonly held_ms: number | null
}

export interface CredentialsOptions {
  /** Called when tokens are needed first. */
  readonly database: () => Promise<Database>
  /** Reads SLUICE_KEY, and hides the tokens. */
  readonly secrets: Secrets
}

/**
 * Keeps tokens in the ledger, encrypted. Each call is one statement that locks the row of its chain, so that a stopped
 * process cannot hold it; the times are the server's. A refresh that is under way is a mark in the row with an end.
 */
export const storedTokens = (options: CredentialsOptions): TokenStore => ({
  chain: (name) => new StoredChain(name, options),
})

class StoredChain implements TokenChain {
  readonly #name: TokenChainName
  readonly #options: CredentialsOptions
  /** Finds the chain of a login if there is no first token. */
  readonly #slot: string
  #id: string
  #key: SecretKey | undefined

  constructor(name: TokenChainName, options: CredentialsOptions) {
    const { tokenUrl, clientId, variable, first } = name
    this.#name = name
    this.#options = options
    this.#slot = digest({ tokenUrl, clientId, variable })
    this.#id = first === undefined ? this.#slot : digest({ tokenUrl, clientId, first })
  }

  async read({ signal }: { readonly signal?: AbortSignal | undefined }) {
    const { first } = this.#name
    const { id: keyId } = this.#usedKey()
    const [row] = await this.#query<Row>(
      `select id, key_id, generation, refresh_token, access_token, purpose,
              sluice.milliseconds(usable_until - clock_timestamp()) as usable_ms,
              sluice.milliseconds(held_until - clock_timestamp()) as held_ms
         from sluice.credentials
        where id = $1 or ($2 and slot = $3 and logged_in_at is not null)
        order by logged_in_at desc nulls last limit 1`,
      [this.#id, first === undefined, this.#slot],
      signal,
    )
    if (!row) return { refreshToken: first, access: undefined, generation: '0', heldMs: 0 }
    this.#id = row.id
    if (row.key_id !== null && row.key_id !== keyId)
      throw new UsageError(
        `${this.#place} were encrypted with another ${SECRET_KEY}: its id is ${row.key_id}, and the one that is set ` +
          `has the id ${keyId}. Set the former key, or begin anew by sluice login or a new ${this.#name.variable}`,
      )
    const refreshToken = row.refresh_token === null ? first : this.#open(row.refresh_token, 'refresh token')
    const token = row.access_token === null ? undefined : this.#open(row.access_token, 'access token')
    const access: StoredAccess | undefined =
      token === undefined ? undefined : { token, purpose: row.purpose ?? '', usableMs: row.usable_ms ?? 0 }
    return { refreshToken, access, generation: row.generation, heldMs: Math.max(0, row.held_ms ?? 0) }
  }

  async claim({ generation, holder, validMs, signal }: Parameters<TokenChain['claim']>[0]) {
    await this.#insert(signal)
    // A claim whose reply was lost is made again by the same holder.
    const [row] = await this.#query<{ lost_answers: string }>(
      `update sluice.credentials
          set lost_answers = lost_answers + (holder is not null and holder <> $2)::int,
              holder = $2, held_until = clock_timestamp() + $3 * interval '1 ms', updated_at = clock_timestamp()
        where id = $1 and generation = $4
          and (holder is null or holder = $2 or held_until < clock_timestamp())
        returning lost_answers`,
      [this.#id, holder, validMs, generation],
      signal,
    )
    return row && Number(row.lost_answers)
  }

  async store(tokens: NewTokens, { generation, signal }: Parameters<TokenChain['store']>[1]) {
    const rows = await this.#query(
      `${this.#storing} where id = $1 and generation = $7 returning id`,
      [...this.#sealed(tokens), generation],
      signal,
    )
    return rows.length > 0
  }

  async release({ holder, isLost, signal }: Parameters<TokenChain['release']>[0]) {
    await this.#query(
      `update sluice.credentials
          set holder = null, held_until = null, lost_answers = lost_answers + $3, updated_at = clock_timestamp()
        where id = $1 and holder = $2`,
      [this.#id, holder, isLost ? 1 : 0],
      signal,
    )
  }

  async begin(tokens: NewTokens, { signal }: { readonly signal?: AbortSignal | undefined }) {
    this.#usedKey()
    await this.#insert(signal)
    await this.#query(`${this.#storing}, logged_in_at = clock_timestamp() where id = $1`, this.#sealed(tokens), signal)
  }

  get #storing(): string {
    return `update sluice.credentials
               set generation = generation + 1, key_id = $2, refresh_token = coalesce($3, refresh_token),
                   access_token = $4, purpose = $5, usable_until = clock_timestamp() + $6 * interval '1 ms',
                   holder = null, held_until = null, lost_answers = 0, updated_at = clock_timestamp()`
  }

  #sealed({ refreshToken, access }: NewTokens): unknown[] {
    const { id, seal } = this.#usedKey()
    return [
      this.#id,
      id,
      refreshToken === undefined ? null : seal(refreshToken, this.#placeOf('refresh token')),
      seal(access.token, this.#placeOf('access token')),
      access.purpose,
      Math.round(access.usableMs),
    ]
  }

  async #insert(signal: AbortSignal | undefined): Promise<void> {
    const { tokenUrl, variable } = this.#name
    await this.#query(
      `insert into sluice.credentials (id, slot, token_url, variable) values ($1, $2, $3, $4) on conflict do nothing`,
      [this.#id, this.#slot, storableText(tokenUrl.split(/[?#]/, 1)[0] ?? ''), variable],
      signal,
    )
  }

  #open(sealed: Uint8Array, field: 'refresh token' | 'access token'): string {
    const text = this.#usedKey().open(sealed, this.#placeOf(field))
    if (text === undefined)
      throw new UsageError(
        `${this.#place}: the stored ${field} was changed in the database, so it cannot be decrypted. ` +
          `Begin anew by sluice login, or with a new ${this.#name.variable}`,
      )
    this.#options.secrets.register?.(field, text)
    return text
  }

  #placeOf(field: 'refresh token' | 'access token'): string {
    return `${this.#id} ${field}`
  }

  get #place(): string {
    return `the tokens of ${this.#name.variable}`
  }

  #usedKey(): SecretKey {
    this.#key ??= readSecretKey(this.#options.secrets)
    return this.#key
  }

  /** Repeats a statement whose connection was lost; the pool waits for the server before it fails. */
  async #query<R extends object>(text: string, values: readonly unknown[], signal: AbortSignal | undefined) {
    const database = await this.#options.database()
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await database.query<R>(text, values, { signal, timeout: '30s' })
      } catch (error) {
        if (attempt >= MAX_ATTEMPTS || !isTransient(error)) throw error
        await sleep(100 * attempt, { signal })
      }
    }
  }
}
