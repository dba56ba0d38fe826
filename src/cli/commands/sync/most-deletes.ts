// `--most-deletes` of commands that read into mirrors.
import { UsageError } from '../../../model/errors.ts'
import { mostDeletesProblem, type MostDeletes } from '../../../model/mirror.ts'
import type { FoundPipeline } from '../../../run/find-pipelines.ts'

/** A number of rows, or what is hopefully a share. */
const limitOf = (text: string): MostDeletes => (/^\d+$/.test(text) ? Number(text) : text) as MostDeletes

/** Throws if the text is no limit. */
export function checkMostDeletesText(text: string | undefined): void {
  const problem = text === undefined ? undefined : mostDeletesProblem(limitOf(text))
  if (problem !== undefined) throw new UsageError(`--most-deletes ${problem}`)
}

/** Throws if the option is given, and none of the streams has a table with `mirror`. */
export function checkHasMirror(text: string | undefined, found: readonly FoundPipeline[]): void {
  if (text !== undefined && !found.some(hasMirror))
    throw new UsageError('--most-deletes is for streams whose table has mirror, and none of these has it')
}

/** Returns the option for one pipeline. Those without a mirror do not take it. */
export const mostDeletesOf = (text: string | undefined, found: FoundPipeline): { readonly mostDeletes?: MostDeletes } =>
  text !== undefined && hasMirror(found) ? { mostDeletes: limitOf(text) } : {}

const hasMirror = ({ pipeline, streams = Object.keys(pipeline.streams) }: FoundPipeline): boolean =>
  streams.some((stream) => pipeline.streams[stream]?.table.mirror !== undefined)
