/** What `sluice explain` and docs/ERRORS.md say about a code. */
export interface Explanation {
  /** What happened, as one or two sentences. */
  readonly happened: string
  /** The usual causes, the most frequent one first. */
  readonly causes: readonly string[]
  /** What to do. */
  readonly remedies: readonly string[]
  /** Lines of a pipeline file or of a shell that show the remedy. */
  readonly example: string
}
