import type { FoundProblem } from '../../ledger/incidents.ts'
import { defined } from '../../value/defined.ts'
import { formatCount } from '../../value/format.ts'
import type { StatusReport } from '../status/stream-status.ts'
import type { Audience } from './notify-targets.ts'

/** A stream whose runs fail becomes overdue, of which nobody has to be told besides. */
const isItsCause = (
  { pipeline, stream, kind }: StatusReport['findings'][number],
  overdue: StatusReport['findings'][number],
): boolean =>
  (kind === 'failed' || kind === 'never succeeded') && pipeline === overdue.pipeline && stream === overdue.stream

/** Returns the problems of a status that somebody has to be told of. */
export function problemsOf(
  { findings, streams }: Pick<StatusReport, 'findings' | 'streams'>,
  { ofPipelines, rejects }: Pick<Audience, 'ofPipelines' | 'rejects'>,
): FoundProblem[] {
  const faults = findings
    .filter(({ isFault, pipeline }) => isFault && ofPipelines.has(pipeline))
    .filter((one, _, all) => one.kind !== 'overdue' || !all.some((other) => isItsCause(other, one)))
    .map(({ pipeline, stream, kind, message }) => ({ pipeline, kind, message, ...defined({ stream }) }))
  const tooMany = streams
    .filter(({ pipeline, rejects: waiting }) => waiting > (rejects.get(pipeline) ?? Infinity))
    .map(({ pipeline, stream, rejects: waiting }) => ({
      pipeline,
      stream,
      kind: 'rejects',
      message:
        `${formatCount(waiting, 'record')} could not be stored, and notify.rejects allows ${rejects.get(pipeline)}. ` +
        `Reasons: sluice rejects list ${pipeline}.${stream}`,
    }))
  return [...faults, ...tooMany]
}
