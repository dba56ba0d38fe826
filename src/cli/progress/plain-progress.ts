import { displayWidth } from '../output/display-width.ts'
import { terminalWidth } from '../output/terminal-width.ts'
import { type Progress, ProgressTracker } from './progress-tracker.ts'
import { streamLines } from './stream-lines.ts'
import type { StreamProgress } from './stream-progress.ts'
import { symbolsFor } from './symbols.ts'

/** The line with the map of windows, which is printed only where it can be overwritten. */
const MAP_LINE = 2

/** For output that cannot be overwritten: prints the lines of each stream every 2 seconds if they changed. */
export function plainProgress(names: readonly string[], print: (line: string) => void, everyMs = 2_000): Progress {
  const tracker = new ProgressTracker(names, (text) => print(text))
  const nameWidth = Math.max(...names.map(displayWidth))
  const symbols = symbolsFor(process.env)
  const printed = new Map<StreamProgress, string>()
  const show = (): void => {
    for (const stream of tracker.streams) {
      const options = { nameWidth, width: terminalWidth(), symbols, paint: (_: unknown, text: string) => text }
      const lines = streamLines(stream, performance.now(), options)
      const text = lines.filter((_, index) => index !== MAP_LINE).join('\n')
      if (printed.get(stream) !== text) print(text)
      printed.set(stream, text)
    }
  }
  const timer = setInterval(show, everyMs)
  return {
    on: (event) => tracker.event(event),
    [Symbol.dispose]() {
      clearInterval(timer)
      tracker.end()
      show()
    },
  }
}
