import type { WriteStream } from 'node:tty'
import { stripVTControlCharacters, styleText } from 'node:util'
import { createLogUpdate } from 'log-update'
import { displayWidth } from '../output/display-width.ts'
import { redirectWrites } from './redirect-writes.ts'
import { symbolsFor } from './symbols.ts'
import { type Progress, ProgressTracker } from './progress-tracker.ts'
import { type Paint, streamLines } from './stream-lines.ts'
import type { StreamPhase, StreamProgress } from './stream-progress.ts'

export interface LiveOptions {
  /**
   * Whoever else may write to the same terminal. @default process.stdout and process.stderr, where they are terminals
   */
  readonly others?: readonly NodeJS.WriteStream[]
  /** @default 200: enough to see it move, and little for a slow line */
  readonly everyMs?: number
}

/**
 * On a terminal, lines for each stream that are written over a few times a second. Warnings, failures and whatever else
 * is written meanwhile, as by a pipeline's own functions, go above them and stay.
 */
export function liveProgress(
  names: readonly string[],
  terminal: WriteStream,
  { others = [process.stdout, process.stderr].filter((one) => one.isTTY), everyMs = 200 }: LiveOptions = {},
): Progress {
  const write = terminal.write.bind(terminal)
  // Some terminals say that they have no columns, and mean that they do not know.
  const size = (): { readonly columns: number; readonly rows: number } => ({
    columns: terminal.columns || 80,
    rows: terminal.rows || 24,
  })
  const paint: Paint = (colour, text) => (colour === 'reset' ? text : styleText(colour, text, { stream: terminal }))
  const log = createLogUpdate(
    {
      write,
      isTTY: true,
      get columns() {
        return size().columns
      },
      get rows() {
        return size().rows
      },
    } as unknown as NodeJS.WritableStream,
    {
      // A killed run would leave the terminal without one.
      showCursor: true,
    },
  )
  const above = redirectWrites(others, (text) => {
    log.clear()
    write(text)
    draw()
  })
  const told = new ProgressTracker(names, (text, as) =>
    above.put(`${paint(as === 'failure' ? 'red' : 'yellow', text)}\n`),
  )
  const nameWidth = Math.max(...names.map(displayWidth))
  const symbols = symbolsFor(process.env)
  let shown: { readonly lines: readonly string[]; readonly columns: number } = { lines: [], columns: size().columns }

  // The last column stays free: a terminal may wrap the line when it is written to.
  const linesOf = (streams: readonly StreamProgress[]): string[] =>
    streams.flatMap((stream) =>
      streamLines(stream, performance.now(), { nameWidth, width: Math.max(12, size().columns - 1), symbols, paint }),
    )
  const draw = (): void => {
    const { columns, rows } = size()
    if (columns < shown.columns) takeBackWrapped(columns)
    const lines = linesThatFit(told.streams, linesOf, rows - 2, (text) => paint('dim', text))
    log(lines.join('\n'))
    shown = { lines, columns }
  }
  // A terminal that has become narrower has broken our lines into more than were written, of which log-update would
  // take back too few.
  const takeBackWrapped = (columns: number): void => {
    const height = shown.lines.reduce(
      (sum, line) => sum + Math.max(1, Math.ceil(displayWidth(stripVTControlCharacters(line)) / columns)),
      0,
    )
    if (height === shown.lines.length) return
    write(`\u001b[${height}A\u001b[G\u001b[J`)
    log.done()
  }
  const onResize = (): void => draw()
  terminal.on('resize', onResize)
  const timer = setInterval(draw, everyMs)
  draw()
  return {
    on: (event) => told.event(event),
    [Symbol.dispose]() {
      clearInterval(timer)
      terminal.off('resize', onResize)
      told.end()
      // In the end all of it, be it more than the screen holds.
      log.clear()
      write(`${linesOf(told.streams).join('\n')}\n`)
      above[Symbol.dispose]()
      log.done()
    },
  }
}

/** What is going on comes first where the screen does not hold all streams; the others are counted. */
function linesThatFit(
  streams: readonly StreamProgress[],
  linesOf: (streams: readonly StreamProgress[]) => string[],
  height: number,
  dim: (text: string) => string,
): string[] {
  const all = linesOf(streams)
  if (all.length <= height) return all
  const order: readonly StreamPhase[] = ['runs', 'failed', 'waits', 'stopped', 'done']
  const sorted = streams.toSorted((a, b) => order.indexOf(a.state) - order.indexOf(b.state))
  const lines: string[] = []
  const left: StreamProgress[] = []
  for (const stream of sorted) {
    const own = linesOf([stream])
    if (left.length === 0 && lines.length + own.length < height) lines.push(...own)
    else left.push(stream)
  }
  const counted = order
    .map((state) => [left.filter((one) => one.state === state).length, state] as const)
    .filter(([number]) => number > 0)
  return [...lines, dim(`and ${counted.map(([number, state]) => `${number} ${words[state]}`).join(', ')}`)]
}

const words = { runs: 'running', failed: 'failed', waits: 'waiting', stopped: 'stopped', done: 'done' } as const
