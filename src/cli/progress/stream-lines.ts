import { fitText, onOneLine } from '../output/display-width.ts'
import { backfillLines } from './backfill-lines.ts'
import { type LineOptions, numbersLine, phaseColour } from './numbers-line.ts'
import type { StreamProgress } from './stream-progress.ts'

/**
 * Returns the lines of one stream on a terminal, none wider than it: one line of numbers, and for a backfill also a
 * bar and the map of its windows.
 *
 *     customers     12,400 rows    2,310/s      62 requests    1 retry   waits: Retry-After 12 s
 */
export function streamLines(stream: StreamProgress, now: number, options: LineOptions): string[] {
  const { nameWidth, width, paint } = options
  const name = fitText(onOneLine(stream.name), Math.min(nameWidth, Math.max(8, Math.floor(width / 3))))
  if (stream.windows) return backfillLines(stream, stream.windows, { ...options, name, now })
  return [paint(phaseColour(stream), numbersLine(stream, now, name, options))]
}
