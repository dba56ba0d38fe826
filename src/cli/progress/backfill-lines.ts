import { formatCount, formatNumber } from '../../value/format.ts'
import { displayWidth, fitText } from '../output/display-width.ts'
import { formatPercent, formatRemaining } from './estimates.ts'
import { type Colour, type LineOptions, numbersLine, phaseColour, phaseText } from './numbers-line.ts'
import type { StreamProgress } from './stream-progress.ts'
import { barText, filledColumns, type SymbolSet } from './symbols.ts'
import type { Cell, WindowProgress, WindowState, WindowStateCounts } from './window-progress.ts'

/** A shorter bar says nothing; a longer one says no more. */
const [MIN_BAR, MAX_BAR] = [10, 40]

const WINDOW_COLOURS: Readonly<Record<WindowState, Colour>> = {
  o: 'dim',
  r: 'cyan',
  d: 'green',
  u: 'yellow',
  f: 'red',
  s: 'dim',
}

interface BackfillLineOptions extends LineOptions {
  /** The stream's name, in its final width. */
  readonly name: string
  readonly now: number
}

/** Returns four lines: name and bar, numbers, the map of the windows, and its legend. */
export function backfillLines(stream: StreamProgress, windows: WindowProgress, options: BackfillLineOptions): string[] {
  const { width, symbols, paint, now } = options
  const inner = { ...options, width: width - 2 }
  const map = windows.map(width - 4).map((cell) => paint(WINDOW_COLOURS[cell.state], symbolOf(cell, symbols)))
  return [
    barLine(stream, windows, options),
    // The numbers are padded for a longer prefix.
    `  ${numbersLine(stream, now, '', inner).slice(2)}`,
    `  ${map.join('')}`,
    `  ${legend(windows.counts, inner)}`,
  ]
}

function barLine(
  stream: StreamProgress,
  windows: WindowProgress,
  { name, now, width, symbols, paint }: BackfillLineOptions,
): string {
  const { counts, share } = windows
  const text = [`${formatPercent(share)} of ${formatCount(counts.total, 'window')}`, stateText(stream, now)]
    .filter(Boolean)
    .join('  ')
  const colour = phaseColour(stream)
  const room = width - displayWidth(name) - displayWidth(text) - 4
  const barWidth = room >= MIN_BAR ? Math.min(room, MAX_BAR) : 0
  const bar = barText(share, barWidth, symbols)
  const filled = filledColumns(share, barWidth)
  const drawn = barWidth > 0 ? `${paint('green', bar.slice(0, filled))}${paint('dim', bar.slice(filled))}  ` : ''
  const textWidth = Math.max(1, width - displayWidth(name) - 2 - (barWidth > 0 ? barWidth + 2 : 0))
  return `${paint(colour, name)}  ${drawn}${paint(colour, fitText(text, textWidth).trimEnd())}`
}

function stateText(stream: StreamProgress, now: number): string {
  if (stream.phase !== 'running' && stream.phase !== 'waiting') return phaseText(stream)
  const leftMs = stream.progress(now)?.leftMs
  return leftMs === undefined ? '' : formatRemaining(leftMs)
}

/** Returns the character of a cell. Several windows of which some are done have a character of their own. */
function symbolOf({ state, done }: Cell, { partly, windows }: SymbolSet): string {
  if (state !== 'o' || done === 0) return windows[state]
  return partly[Math.min(partly.length - 1, Math.floor(done * partly.length))] ?? windows[state]
}

/** Returns how many windows have each state, with the characters of the map. Leaves out what does not fit. */
function legend(counts: WindowStateCounts, { symbols, paint, width }: LineOptions): string {
  const entries: readonly (readonly [WindowState, number, string])[] = [
    ['d', counts.done, 'done'],
    ['u', counts.unproven, 'not proven'],
    ['r', counts.running, 'running'],
    ['f', counts.failed, 'failed'],
    ['o', counts.pending, 'pending'],
    ['s', counts.skipped, 'skipped'],
  ]
  const shown: string[] = []
  let used = 0
  for (const [state, number, word] of entries) {
    if (number === 0) continue
    const text = `${symbols.windows[state]} ${formatNumber(number)} ${word}`
    if (used + displayWidth(text) > width) break
    used += displayWidth(text) + 2
    shown.push(paint(WINDOW_COLOURS[state], text))
  }
  return shown.join('  ')
}
