import type { MemoryAccount, MemoryHold } from '../../src/flow/memory-account.ts'
import { turns } from './left-behind.ts'

/** A request that can be asked whether it has been served. */
export function ask(account: MemoryAccount, bytes: number, signal?: AbortSignal) {
  const request = { served: false, hold: account.reserve(bytes, { signal }) }
  request.hold.then(
    () => (request.served = true),
    () => {},
  )
  return request
}
/** Returns which requests have been served. */
export const served = async (...requests: { served: boolean }[]): Promise<boolean[]> => {
  await turns(1)
  return requests.map(({ served }) => served)
}
export const giveBack = async ({ hold }: { hold: Promise<MemoryHold> }): Promise<void> => (await hold)[Symbol.dispose]()
