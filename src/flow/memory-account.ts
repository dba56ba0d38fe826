/**
 * One reader's part of a memory budget. A reader that holds nothing and that its consumer waits for is served at once,
 * even beyond the limit; otherwise streams that each hold a parent's page could wait for each other for ever. All other
 * readers wait while the budget is used up.
 */
export interface MemoryAccount {
  /** Waits until so many bytes may be held. Resize the hold once the real size is known. */
  reserve: (bytes: number, options: { readonly signal?: AbortSignal | undefined }) => Promise<MemoryHold>
  /**
   * Opens an account for a reader that reads on behalf of this one, as one child of a parent. `isNext` returns true
   * while the consumer waits for that reader or for one below it.
   */
  child: (isNext: () => boolean) => MemoryAccount
  /** Serves waiting readers again. Call it after `isNext` of an account has changed. */
  recheck: () => void
}

/** Bytes reserved in a memory budget. Disposing it releases them. */
export interface MemoryHold extends Disposable {
  /** Corrects the size. Never waits, even beyond the limit. */
  resize: (bytes: number) => void
}

/**
 * The part of a memory budget for what may be given up, because it can be had again. It is held only as long as no
 * reader that is waited for needs the memory.
 */
export interface SpareMemory {
  /**
   * Holds so many bytes. Returns undefined if they are not free, if a reader waits for memory, or if too much is spare.
   * `onGivenUp` is called when the bytes are needed: forget what they were held for.
   */
  hold: (bytes: number, onGivenUp: () => void) => SpareHold | undefined
  /** Returns true if so many bytes more would not be too much. */
  fits: (bytes: number) => boolean
}

/** Spare bytes. Disposing it releases them. */
export interface SpareHold extends Disposable {
  /** Moves the bytes to a reader's account, behind its older requests. Waits only if they were given up. */
  moveTo: (account: MemoryAccount, options: { readonly signal?: AbortSignal | undefined }) => Promise<MemoryHold>
}
