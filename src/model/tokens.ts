// The tokens of OAuth 2 that outlive a process: the ledger keeps them, the client of an API uses them.

/** Names the chain of a refresh token: the first one, and those that the server gives in its place. */
export interface TokenChainName {
  /** The absolute URL of the token endpoint. */
  readonly tokenUrl: string
  readonly clientId: string
  /** The variable that holds the first token. */
  readonly variable: string
  /** The value of the variable. Undefined if it is not set: the chain then began with a login. */
  readonly first: string | undefined
}

export interface StoredTokens {
  /** Undefined if there is none, and no first one either. */
  readonly refreshToken: string | undefined
  readonly access: StoredAccess | undefined
  /** Counts the changes of the tokens. */
  readonly generation: string
  /** Milliseconds for which another refresh may still be under way; 0 if there is none. */
  readonly heldMs: number
}

export interface StoredAccess {
  readonly token: string
  /** Digest of what it was asked for with. */
  readonly purpose: string
  /** Milliseconds for which it is still used; less than 0 if it needs a refresh. */
  readonly usableMs: number
}

/** Tokens that the server has given. */
export interface NewTokens {
  /** Undefined if the server keeps the one that was sent. */
  readonly refreshToken: string | undefined
  readonly access: StoredAccess
}

interface Call {
  readonly signal?: AbortSignal | undefined
}

export interface TokenClaim extends Call {
  /** That of the tokens that were read. */
  readonly generation: string
  /** Names this refresh, and no other. */
  readonly holder: string
  /** How long the refresh may take. Later it counts as interrupted. */
  readonly validMs: number
}

/**
 * One chain, as all processes share it. A refresh reads, claims, sends its request, and stores or releases. Nothing may
 * be sent without a claim, and no token be used before it is stored.
 */
export interface TokenChain {
  /** Throws `UsageError` if the tokens cannot be decrypted. */
  read: (call: Call) => Promise<StoredTokens>
  /**
   * Records that a refresh is under way. Returns the number of requests with this refresh token whose answers were
   * lost, or undefined if another refresh is under way or has stored since.
   */
  claim: (claim: TokenClaim) => Promise<number | undefined>
  /** Ends the claim with new tokens. Returns false if others were stored since the claim. */
  store: (tokens: NewTokens, claim: Pick<TokenClaim, 'generation' | 'signal'>) => Promise<boolean>
  /** Ends the claim without new tokens. `isLost`: the server may have given some. */
  release: (claim: Pick<TokenClaim, 'holder' | 'signal'> & { readonly isLost: boolean }) => Promise<void>
  /** Begins the chain anew, with the tokens of a login. */
  begin: (tokens: NewTokens, call: Call) => Promise<void>
}

/** Keeps tokens for all processes. Opening a chain sends no statement. */
export interface TokenStore {
  chain: (name: TokenChainName) => TokenChain
}
