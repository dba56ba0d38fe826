import { liveProgress } from './live-progress.ts'
import { plainProgress } from './plain-progress.ts'
import { noProgress, type Progress } from './progress-tracker.ts'

/** The form of a command's output: live lines, plain lines, one JSON line for each event, or only a JSON report. */
export type OutputMode = 'live' | 'plain' | 'events' | 'json'

/** Chooses the output mode: live or plain on a terminal, events elsewhere, json with `--json`. */
export function outputModeOf({
  json,
  people = false,
}: {
  readonly json?: boolean | undefined
  /** Print plain lines instead of events where stdout is no terminal. @default false */
  readonly people?: boolean
}): OutputMode {
  if (json) return 'json'
  // A dumb terminal cannot overwrite lines.
  if (process.stdout.isTTY) return process.env['TERM'] === 'dumb' ? 'plain' : 'live'
  return people ? 'plain' : 'events'
}

/** Opens the display of streams while they run. Events are not shown here: `eventLog` writes them. */
export function openProgress(mode: OutputMode, streams: readonly string[]): Progress {
  if (mode === 'json' || mode === 'events' || streams.length === 0) return noProgress
  return mode === 'live' ? liveProgress(streams, process.stdout) : plainProgress(streams, (line) => console.log(line))
}
