import type { NewTokens, StoredTokens, TokenStore } from '../../model/tokens.ts'

/** Returns a store that keeps refresh tokens for one reading, so that a test neither reads nor replaces real ones. */
export function testTokens(): TokenStore {
  return {
    chain: ({ first }) => {
      let stored: StoredTokens = { refreshToken: first, access: undefined, generation: '0', heldMs: 0 }
      const keep = ({ refreshToken, access }: NewTokens): void => {
        const generation = String(Number(stored.generation) + 1)
        stored = { refreshToken: refreshToken ?? stored.refreshToken, access, generation, heldMs: 0 }
      }
      return {
        read: () => Promise.resolve(stored),
        claim: ({ generation }) => Promise.resolve(generation === stored.generation ? 0 : undefined),
        store: async (tokens, { generation }) => {
          if (generation !== stored.generation) return false
          keep(tokens)
          return true
        },
        release: () => Promise.resolve(),
        begin: async (tokens) => keep(tokens),
      }
    },
  }
}
