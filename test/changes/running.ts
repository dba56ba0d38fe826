// One run of a seed, and the stream that it reads.
import { pipeline, source, type ReadContext, type Stream, type StreamReport } from '../../src/index.ts'
import { isBad, type Sent } from './changing-api.ts'
import { keepsHistory, mirrors, type Interruption, type Scenario } from './scenario.ts'
import { SourceLog } from './source-log.ts'

/** One run, and what happens to it. */
export interface Running {
  readonly name: string
  readonly source: SourceLog
  /** Stages reject what is bad. */
  readonly isBroken: boolean
  readonly interruption: Interruption | undefined
  readonly stop: AbortController
  /** Another run of the stream waits for this one. */
  readonly isBeside: boolean
  /** Pages that were read. */
  pages: number
}

export type Begin = Pick<Running, 'name'> & Partial<Running>

export const begun = (begin: Begin): Running => ({
  source: new SourceLog(),
  isBroken: false,
  interruption: undefined,
  stop: new AbortController(),
  isBeside: false,
  pages: 0,
  ...begin,
})

/** A page of the stream. */
export interface SentPage {
  readonly records: Sent[]
  readonly position: { readonly serial: number; readonly id: number; readonly revision: number }
}

export interface FlowOptions {
  /** The name of the pipeline and of the schema of its table. */
  readonly schema: string
  readonly running: Pick<Running, 'isBroken'>
  readonly read: (context: ReadContext) => AsyncGenerator<SentPage, void, undefined>
}

/** Returns the pipeline of one run. Each has the same definition. */
export function flowOf(scenario: Scenario, { schema, running, read }: FlowOptions) {
  const { timing, announces, marks, hasLists, hasRejects } = scenario
  const items = source<Sent>((context) => read(context))
  const timed = timing === 'incremental' ? items.incremental('at', { lookback: 0 }) : items
  const existing = announces
    ? timed.deleted((one) => {
        if (running.isBroken && one.gone && isBad(one)) throw new Error('a deletion that nobody understands')
        return one.gone === true
      })
    : timed
  const rows: Stream<Omit<Sent, 'revision'>> = hasRejects
    ? existing.map(({ revision: _revision, ...one }) => {
        if (running.isBroken && isBad(one)) throw new Error('a bad record')
        return one
      })
    : existing.omit('revision')
  const table = {
    key: 'id',
    maxRejects: 10_000,
    ...(mirrors(scenario) && { mirror: true }),
    ...(keepsHistory(scenario) && { write: 'history' }),
    ...(timing === 'versioned' && { versionBy: 'at' }),
    ...(marks && { deleted: 'mark' }),
    ...(hasLists && { children: { lines: { key: 'line', children: { tags: {} } } } }),
  }
  // The options are drawn by the seed: the compiler cannot know which of them there are.
  return pipeline(schema, { streams: { items: rows.into(`${schema}.items`, table as { key: 'id' }) } })
}

/** What a run says of its stream, for the log. It begins with the status. */
export function reportLine(report: StreamReport | undefined): string {
  if (!report) return 'done: there was nothing to do'
  const { status, counts, mirroredRows, error, warnings } = report
  const { inserted, updated, deleted, rejected } = counts
  const done = `${inserted} inserted, ${updated} updated, ${deleted} deleted, ${rejected} rejected`
  const more = [
    ...(mirroredRows === undefined ? [] : [`${mirroredRows} mirrored`]),
    ...warnings,
    ...(error ? [error] : []),
  ]
  return `${status}: ${done}${more.map((text) => `; ${text}`).join('')}`
}
