/** What credentials may do and when they end, as far as an answer of the API or of a token endpoint says it. */
export interface Grant {
  /** Names, separated by spaces or commas, as the answer has them. Empty if it says that there are none. */
  readonly scope?: string | undefined
  readonly endsAt?: Date | undefined
  /** True for credentials that are fetched anew before they end. */
  readonly isRenewed: boolean
}
