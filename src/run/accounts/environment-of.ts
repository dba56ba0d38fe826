import type { Pipeline } from '../../define/pipeline.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** Returns the variables for a pipeline: with the values of its account, if it runs for one. */
export const environmentOf = ({ account }: Pipeline, environment: Environment = process.env): Environment =>
  account?.environment(environment) ?? environment
