/** The text below the options in a command's help. Examples use a pipeline named `billing`. */
export interface HelpExamples {
  /** @default 'Examples' */
  readonly title?: string
  /** A command line, and a few words of explanation. */
  readonly examples: readonly (readonly [command: string, explanation?: string])[]
  /** A paragraph that begins with a space is a command line, which is not wrapped. */
  readonly paragraphs?: readonly string[]
}
