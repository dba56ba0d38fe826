import { liveProgress } from './live-progress.ts'
import { plainProgress } from './plain-progress.ts'
import { noProgress, type Progress } from './progress-tracker.ts'

/** How a run is shown: as it goes on and in the end. */
export type OutputMode = 'live' | 'plain' | 'events' | 'json'

/**
 * For people on a terminal live lines, or plain ones where it cannot write over them; elsewhere events; with `--json`
 * nothing but the report.
 */
export function outputModeOf({
  json,
  people = false,
}: {
  readonly json?: boolean | undefined
  /** The command is for people, wherever it is called. */ readonly people?: boolean
}): OutputMode {
  if (json) return 'json'
  if (process.stdout.isTTY) return process.env['TERM'] === 'dumb' ? 'plain' : 'live'
  return people ? 'plain' : 'events'
}

/** What is shown of some streams while they run; events are logged by `eventLog`. */
export function openProgress(mode: Exclude<OutputMode, 'events'>, streams: readonly string[]): Progress {
  if (mode === 'json' || streams.length === 0) return noProgress
  return mode === 'live' ? liveProgress(streams, process.stdout) : plainProgress(streams, (line) => console.log(line))
}
