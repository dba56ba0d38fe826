import type { MemoryAccount } from '../../src/flow/memory-account.ts'

export interface FreeMemory extends MemoryAccount {
  /** Bytes that are held now. */
  readonly held: number
  /** Sizes that were reserved, in order. */
  readonly taken: readonly number[]
}

/** Returns a memory account without a limit. It records the sizes that were reserved. */
export function freeMemory(): FreeMemory {
  const taken: number[] = []
  let held = 0
  const account: FreeMemory = {
    taken,
    get held() {
      return held
    },
    reserve: async (bytes) => {
      taken.push(bytes)
      let kept = bytes
      held += kept
      return {
        resize: (to) => {
          held += to - kept
          kept = to
        },
        [Symbol.dispose]: () => {
          held -= kept
          kept = 0
        },
      }
    },
    child: () => account,
    recheck: () => {},
  }
  return account
}
