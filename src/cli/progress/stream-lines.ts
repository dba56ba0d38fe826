import { displayWidth, fitText, onOneLine } from '../output/display-width.ts'
import { formatNumber } from '../../value/format.ts'
import { formatEstimate, formatPercent } from './estimates.ts'
import type { SymbolSet } from './symbols.ts'
import type { StreamProgress } from './stream-progress.ts'
import type { Cell, WindowState } from './window-progress.ts'

/** Colours a text that has its width already; a terminal without colours leaves it as it is. */
export type Paint = (colour: 'dim' | 'reset' | 'green' | 'red' | 'yellow' | 'cyan', text: string) => string

export interface LineOptions {
  /** Columns for the names of all streams. */
  readonly nameWidth: number
  readonly width: number
  readonly symbols: SymbolSet
  readonly paint: Paint
}

const colours = { waits: 'dim', runs: 'reset', done: 'green', failed: 'red', stopped: 'yellow' } as const
const cellColours = { o: 'dim', r: 'cyan', d: 'green', f: 'red', s: 'dim' } as const

/**
 * One stream on a terminal, no line wider than it: a line of numbers, and where a backfill has a plan, its bar and the
 * map of its windows.
 *
 *     customers     12,400 rows    2,310/s      62 requests    1 retry   waits: Retry-After 12 s
 */
export function streamLines(stream: StreamProgress, now: number, options: LineOptions): string[] {
  const { nameWidth, width, paint } = options
  const name = fitText(onOneLine(stream.name), Math.min(nameWidth, Math.max(8, Math.floor(width / 3))))
  if (!stream.windows)
    return [
      paint(colours[stream.state], joined(`${name}${numbers(stream, now, options)}`, endings(stream, now), width)),
    ]
  const { total, done, skipped } = stream.windows.counts
  const { share, leftMs } = stream.progress(now)!
  const words = [
    `${formatPercent(share)} of ${formatNumber(total)} windows`,
    stream.state === 'runs' || stream.state === 'waits'
      ? leftMs === undefined
        ? ''
        : `${formatEstimate(leftMs)} left`
      : stream.state,
  ]
    .filter(Boolean)
    .join('  ')
  const room = width - displayWidth(name) - displayWidth(words) - 4
  const drawn = room >= 10 ? `${bar((done + skipped) / total, Math.min(room, 40), options)}  ` : ''
  return [
    `${paint(colours[stream.state], name)}  ${drawn}${paint(colours[stream.state], fitText(words, Math.max(1, width - displayWidth(name) - 2 - (room >= 10 ? Math.min(room, 40) + 2 : 0))).trimEnd())}`,
    joined(
      numbers(stream, now, { ...options, width: width - 2 }).replace(/^ {2}/, ''),
      stream.state === 'runs' ? endings(stream, now) : [],
      width - 2,
    ).replace(/^/, '  '),
    `  ${stream.windows
      .map(width - 4)
      .map((cell) => paint(cellColours[cell.state], symbolOf(cell, options.symbols)))
      .join('')}`,
    `  ${legend(stream.windows.counts, { ...options, width: width - 2 })}`,
  ]
}

/** What a line ends with needs so much to be understood. */
const END = 20

/**
 * In columns that depend on the terminal and the longest name alone, so that those of all streams stand below each
 * other.
 */
function numbers(stream: StreamProgress, now: number, { nameWidth, width, symbols }: LineOptions): string {
  const { rows, requests } = stream.sums
  const parts = [`${formatNumber(rows).padStart(width < 60 ? 10 : 11)} rows`]
  if (width >= 50) parts.push(`${formatNumber(Math.round(stream.rate(now))).padStart(7)}/s`)
  const progress = stream.windows ? undefined : stream.progress(now)
  const room = width - nameWidth - parts.join(' ').length - END
  if (progress && room >= 6)
    parts.push(
      `${room >= 12 ? ` ${barText(progress.share, Math.min(12, room - 6), symbols)}` : ''}${formatPercent(progress.share).padStart(5)}`,
    )
  else if (!progress && room >= 17)
    parts.push(`${formatNumber(requests).padStart(7)} ${requests === 1 ? 'request ' : 'requests'}`)
  return parts.join(' ')
}

/** What the line ends with, the longest first: the first that fits is taken. */
function endings(stream: StreamProgress, now: number): string[] {
  const { retries } = stream.sums
  const tries = retries === 0 ? '' : `${formatNumber(retries)} ${retries === 1 ? 'retry' : 'retries'}`
  if (stream.state === 'waits') return ['waits: its turn', 'waits']
  if (stream.state !== 'runs') return [[tries, stream.state].filter(Boolean).join('  '), stream.state]
  const waiting = stream.waiting(now)
  if (waiting) {
    const seconds = `${formatNumber(Math.ceil(waiting.ms / 1_000))} s`
    return [
      [tries, `waits: ${waiting.text} ${seconds}`].filter(Boolean).join('  '),
      `waits: ${waiting.text} ${seconds}`,
      `waits: ${waiting.text}`,
      `waits ${seconds}`,
    ]
  }
  const progress = stream.windows ? undefined : stream.progress(now)
  const left = progress?.leftMs === undefined ? '' : `${formatEstimate(progress.leftMs)} left`
  const passed = left || stream.windows ? left : formatEstimate(stream.elapsedMs(now)).replace('~', '')
  return [[tries, passed].filter(Boolean).join('  '), left || tries, left, tries, '']
}

function joined(line: string, ends: readonly string[], width: number): string {
  const room = width - displayWidth(line) - 2
  const end = ends.find((one) => displayWidth(one) <= room)
  return fitText(
    end === undefined ? (ends.length === 0 ? line : `${line}  ${ends.at(-1)!}`) : end === '' ? line : `${line}  ${end}`,
    width,
  ).trimEnd()
}

function bar(share: number, width: number, { symbols, paint }: LineOptions): string {
  const text = barText(share, width, symbols)
  const filled = text.split(symbols.bar).length - 1
  return paint('green', text.slice(0, filled)) + paint('dim', text.slice(filled))
}

const barText = (share: number, width: number, symbols: SymbolSet): string => {
  // Full only when all is done.
  const filled = Math.floor(share * width + 1e-9)
  return symbols.bar.repeat(filled) + symbols.rest.repeat(width - filled)
}

const symbolOf = ({ state, done }: Cell, symbols: SymbolSet): string =>
  state === 'o' && done > 0
    ? symbols.partly[Math.min(symbols.partly.length - 1, Math.floor(done * symbols.partly.length))]!
    : symbols.windows[state]

/** The numbers of windows, with the signs that stand for them in the map. */
function legend(
  {
    todo,
    running,
    done,
    failed,
    skipped,
  }: Readonly<Record<'todo' | 'running' | 'done' | 'failed' | 'skipped', number>>,
  { symbols, paint, width }: LineOptions,
): string {
  const entries: readonly (readonly [WindowState, number, string])[] = [
    ['d', done, 'done'],
    ['r', running, 'running'],
    ['f', failed, 'failed'],
    ['o', todo, 'to do'],
    ['s', skipped, 'left out'],
  ]
  const shown: string[] = []
  let used = 0
  for (const [state, number, word] of entries) {
    if (number === 0) continue
    const text = `${symbols.windows[state]} ${formatNumber(number)} ${word}`
    if (used + displayWidth(text) > width) break
    used += displayWidth(text) + 2
    shown.push(paint(cellColours[state], text))
  }
  return shown.join('  ')
}
