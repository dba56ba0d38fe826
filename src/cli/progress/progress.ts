import { styleText } from 'node:util'
import type { WriteStream } from 'node:tty'
import type { RunEvent } from '../../model/event.ts'
import { LiveLines } from './live-lines.ts'
import { StreamLine } from './stream-line.ts'

/** Whoever is told of a run's events while it goes on, and closed at its end. */
export interface Progress extends Disposable {
  readonly on: (event: RunEvent) => void
}

/** On a terminal, a line for each stream that is written over ten times a second. */
export function liveProgress(streams: readonly string[], terminal: WriteStream): Progress {
  const lines = streams.map((name) => new StreamLine(name))
  const nameWidth = Math.max(...streams.map((name) => name.length))
  const live = new LiveLines(terminal)
  // The last column stays free: a terminal may wrap the line when it is written to.
  const draw = (): void => live.show(lines.map((line) => {
    const text = line.text(performance.now(), { nameWidth, width: Math.max(20, (terminal.columns ?? 80) - 1) })
    return styleText(colours[line.state], text, { stream: terminal })
  }))
  const timer = setInterval(draw, 100)
  draw()
  return {
    on: (event) => tell(lines, event),
    [Symbol.dispose]() {
      clearInterval(timer)
      for (const line of lines) line.end(performance.now())
      draw()
      live[Symbol.dispose]()
    },
  }
}

/** `styleText` leaves them out where NO_COLOR says so. */
const colours = { waits: 'dim', runs: 'reset', done: 'green', failed: 'red', stopped: 'yellow' } as const

/** Where lines cannot be written over: how each stream is going, every few seconds. */
export function plainProgress(streams: readonly string[], print: (line: string) => void, everyMs = 2_000): Progress {
  const lines = streams.map((name) => new StreamLine(name))
  const nameWidth = Math.max(...streams.map((name) => name.length))
  const told = new Map<StreamLine, string>()
  const show = (): void => {
    const now = performance.now()
    for (const line of lines) {
      const text = line.text(now, { nameWidth })
      if (told.get(line) !== text) print(text)
      told.set(line, text)
    }
  }
  const timer = setInterval(show, everyMs)
  return {
    on: (event) => tell(lines, event),
    [Symbol.dispose]() {
      clearInterval(timer)
      for (const line of lines) line.end(performance.now())
      show()
    },
  }
}

/** Nobody looks. */
export const noProgress: Progress = { on: () => {}, [Symbol.dispose]: () => {} }

function tell(lines: readonly StreamLine[], event: RunEvent): void {
  if ('stream' in event && event.stream !== undefined) lines.find(({ name }) => name === event.stream)?.event(event, performance.now())
}
