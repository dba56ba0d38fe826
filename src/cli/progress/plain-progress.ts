import { displayWidth } from '../output/display-width.ts'
import { symbolsFor } from './symbols.ts'
import { type Progress, ProgressTracker } from './progress-tracker.ts'
import { streamLines } from './stream-lines.ts'
import type { StreamProgress } from './stream-progress.ts'

/** Where lines cannot be written over: how each stream is going, every few seconds, where something has changed. */
export function plainProgress(names: readonly string[], print: (line: string) => void, everyMs = 2_000): Progress {
  const told = new ProgressTracker(names, (text) => print(text))
  const nameWidth = Math.max(...names.map(displayWidth))
  const printed = new Map<StreamProgress, string>()
  const show = (): void => {
    for (const stream of told.streams) {
      // A map that cannot be written over is not worth its lines.
      const lines = streamLines(stream, performance.now(), {
        nameWidth,
        width: 80,
        symbols: symbolsFor(process.env),
        paint: (_, text) => text,
      })
      const text = lines.filter((_, place) => place !== 2).join('\n')
      if (printed.get(stream) !== text) print(text)
      printed.set(stream, text)
    }
  }
  const timer = setInterval(show, everyMs)
  return {
    on: (event) => told.event(event),
    [Symbol.dispose]() {
      clearInterval(timer)
      told.end()
      show()
    },
  }
}
