/**
 * One reader's part of the memory budget. A reader that holds nothing and that its consumer waits for is let through at
 * once (else streams that each hold a parent's page could wait for each other for ever); all others wait while the
 * budget is used up.
 */
export interface MemoryAccount {
  /** Reserve before a body is read; the hold can be resized, without waiting, once its real size is known. */
  take: (bytes: number, options: { readonly signal: AbortSignal }) => Promise<Hold>
  /**
   * An account for a reader below this one, as one child of a parent, while this one holds the parent's page. `isNext`
   * tells whether the consumer waits for it now, or for something below it.
   */
  below: (isNext: () => boolean) => MemoryAccount
  /** Ask again who may go on, after `isNext` of some account has changed. */
  recheck: () => void
}

export interface Hold extends Disposable {
  resize: (bytes: number) => void
}
