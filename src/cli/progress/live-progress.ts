import type { WriteStream } from 'node:tty'
import { stripVTControlCharacters, styleText } from 'node:util'
import { createLogUpdate } from 'log-update'
import { displayWidth } from '../output/display-width.ts'
import { linesThatFit } from './lines-that-fit.ts'
import { type Progress, ProgressTracker, type TrackerOptions } from './progress-tracker.ts'
import { redirectWrites } from './redirect-writes.ts'
import type { Paint } from './numbers-line.ts'
import { streamLines } from './stream-lines.ts'
import type { StreamProgress } from './stream-progress.ts'
import { symbolsFor } from './symbols.ts'

export interface LiveOptions extends TrackerOptions {
  /** Streams that also write to this terminal. @default process.stdout and process.stderr, if they are terminals */
  readonly others?: readonly NodeJS.WriteStream[]
  /** Milliseconds between two frames. @default 200 */
  readonly everyMs?: number
}

/**
 * Shows lines for each stream on a terminal, and overwrites them five times a second. Warnings, failures and the
 * output of a pipeline's own functions go above these lines and stay.
 */
export function liveProgress(
  names: readonly string[],
  terminal: WriteStream,
  { others = [process.stdout, process.stderr].filter((one) => one.isTTY), everyMs = 200, isReported }: LiveOptions = {},
): Progress {
  const write = terminal.write.bind(terminal)
  // Some terminals say 0 columns if they do not know.
  const size = (): { readonly columns: number; readonly rows: number } => ({
    columns: terminal.columns || 80,
    rows: terminal.rows || 24,
  })
  const paint: Paint = (colour, text) => (colour === 'reset' ? text : styleText(colour, text, { stream: terminal }))
  // log-update uses only these members of a stream.
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
      // A killed run would leave the terminal without a cursor.
      showCursor: true,
    },
  )
  const redirect = redirectWrites(others, (text) => {
    log.clear()
    write(text)
    draw()
  })
  const tracker = new ProgressTracker(
    names,
    (text, kind) => redirect.put(`${paint(kind === 'failure' ? 'red' : 'yellow', text)}\n`),
    { isReported },
  )
  const nameWidth = Math.max(...names.map(displayWidth))
  const symbols = symbolsFor(process.env)
  let shown: { readonly lines: readonly string[]; readonly columns: number } = { lines: [], columns: size().columns }

  // The last column stays free, because a terminal may wrap a line that fills it.
  const linesOf = (streams: readonly StreamProgress[]): string[] =>
    streams.flatMap((stream) =>
      streamLines(stream, performance.now(), { nameWidth, width: Math.max(12, size().columns - 1), symbols, paint }),
    )
  const draw = (): void => {
    const { columns, rows } = size()
    if (columns < shown.columns) clearWrapped(columns)
    const lines = linesThatFit(tracker.streams, linesOf, rows - 2, (text) => paint('dim', text))
    log(lines.join('\n'))
    shown = { lines, columns }
  }
  // A terminal that became narrower has wrapped our lines, and log-update would clear too few of them.
  const clearWrapped = (columns: number): void => {
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
    on: (event) => tracker.event(event),
    [Symbol.dispose]() {
      clearInterval(timer)
      terminal.off('resize', onResize)
      tracker.end()
      // At the end all lines are shown, also if they do not fit the screen.
      log.clear()
      write(`${linesOf(tracker.streams).join('\n')}\n`)
      redirect[Symbol.dispose]()
      log.done()
    },
  }
}
