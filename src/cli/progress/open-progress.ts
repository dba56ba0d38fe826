import { plainProgress, type PlainOptions } from './plain-progress.ts'
import { noProgress, type Progress } from './progress-tracker.ts'

/**
 * The form of a command's output: live lines, one line of text for each event, one line of JSON for each event, or only
 * a JSON report.
 */
export type OutputMode = 'live' | 'plain' | 'events' | 'json'

/** The options of a command that choose the form of its output. */
export interface OutputOptions {
  /** Prints only a report. */
  readonly json?: boolean | undefined
  readonly logFormat?: 'text' | 'json' | undefined
}

/** Chooses the output mode: live on a terminal, plain elsewhere, unless an option asks for JSON. */
export function outputModeOf({ json = false, logFormat = 'text' }: OutputOptions): OutputMode {
  if (json) return 'json'
  if (logFormat === 'json') return 'events'
  // A dumb terminal cannot overwrite lines.
  return process.stdout.isTTY && process.env['TERM'] !== 'dumb' ? 'live' : 'plain'
}

/**
 * Opens the display of streams while they run. The caller prints a report at the end. Events are not shown here:
 * `eventLog` writes them.
 */
export async function openProgress(
  mode: OutputMode,
  streams: readonly string[],
  options: PlainOptions,
): Promise<Progress> {
  if (mode === 'json' || mode === 'events' || streams.length === 0) return noProgress
  if (mode === 'plain') return plainProgress(streams, (line) => console.log(line), { ...options, isReported: true })
  // What draws on a terminal takes 100 ms to load, and a run of cron has none.
  const { liveProgress } = await import('./live-progress.ts')
  return liveProgress(streams, process.stdout, { isReported: true })
}
