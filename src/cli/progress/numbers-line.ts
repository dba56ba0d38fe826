import { formatCount, formatNumber } from '../../value/format.ts'
import { displayWidth, fitText } from '../output/display-width.ts'
import { formatPercent, formatRemaining, formatRoughDuration } from './estimates.ts'
import type { StreamPhase, StreamProgress } from './stream-progress.ts'
import { barText, type SymbolSet } from './symbols.ts'

export type Colour = 'dim' | 'reset' | 'green' | 'red' | 'yellow' | 'cyan'

/** Colours a text that has its final width. Without colours, returns the text unchanged. */
export type Paint = (colour: Colour, text: string) => string

export interface LineOptions {
  /** Columns for the names of all streams. */
  readonly nameWidth: number
  readonly width: number
  readonly symbols: SymbolSet
  readonly paint: Paint
}

const PHASE_COLOURS: Readonly<Record<StreamPhase, Colour>> = {
  waiting: 'dim',
  running: 'reset',
  done: 'green',
  failed: 'red',
  stopped: 'yellow',
}

/** Returns a prefix, then the numbers of a stream, then what it is doing. */
export function numbersLine(stream: StreamProgress, now: number, prefix: string, options: LineOptions): string {
  const line = `${prefix}${numbers(stream, now, options)}`
  const isBackfill = stream.windows !== undefined
  // The first line of a backfill says how it ended.
  const endings = isBackfill && stream.phase !== 'running' ? [''] : endingsOf(stream, now)
  const room = options.width - displayWidth(line) - 2
  const ending = endings.find((one) => displayWidth(one) <= room) ?? endings.at(-1) ?? ''
  return fitText(ending === '' ? line : `${line}  ${ending}`, options.width).trimEnd()
}

/** Columns that the ending of a line needs to be understood. */
const ENDING_WIDTH = 20

/** Column widths depend only on the terminal and the longest name, so that the numbers of all streams are aligned. */
function numbers(stream: StreamProgress, now: number, { nameWidth, width, symbols }: LineOptions): string {
  const { rows, requests } = stream.sums
  const parts = [`${formatNumber(rows).padStart(width < 60 ? 10 : 11)} rows`]
  if (width >= 50) parts.push(`${formatNumber(Math.round(stream.rate(now))).padStart(7)}/s`)
  const progress = stream.windows ? undefined : stream.progress(now)
  const room = width - nameWidth - parts.join(' ').length - ENDING_WIDTH
  if (progress && room >= 6) {
    const bar = room >= 12 ? ` ${barText(progress.share, Math.min(12, room - 6), symbols)}` : ''
    parts.push(bar + formatPercent(progress.share).padStart(5))
  } else if (!progress && room >= 17)
    parts.push(`${formatNumber(requests).padStart(7)} ${requests === 1 ? 'request ' : 'requests'}`)
  return parts.join(' ')
}

/** Returns texts for the end of a line, the longest first. The first one that fits is shown. */
function endingsOf(stream: StreamProgress, now: number): string[] {
  const { retries } = stream.sums
  const tries = retries === 0 ? '' : formatCount(retries, 'retry', 'retries')
  if (stream.phase === 'waiting') return ['waits: its turn', 'waits']
  if (stream.phase !== 'running') return [joined(tries, phaseText(stream)), phaseText(stream)]
  const wait = stream.wait(now)
  if (wait) {
    const seconds = `${formatNumber(Math.ceil(wait.ms / 1_000))} s`
    return [
      joined(tries, `waits: ${wait.text} ${seconds}`),
      `waits: ${wait.text} ${seconds}`,
      `waits: ${wait.text}`,
      `waits ${seconds}`,
    ]
  }
  const progress = stream.windows ? undefined : stream.progress(now)
  const left = progress?.leftMs === undefined ? '' : formatRemaining(progress.leftMs)
  const passed = left || stream.windows ? left : formatRoughDuration(stream.elapsedMs(now))
  return [joined(tries, passed), left || tries, left, tries, '']
}

/** Returns how a stream ended. It is `done` only if it has proof that it read everything. */
export const phaseText = ({ phase, isOpen }: StreamProgress): string =>
  phase === 'done' && isOpen ? 'not proven' : phase

/** The colour of a stream's line. */
export const phaseColour = ({ phase, isOpen }: StreamProgress): Colour =>
  phase === 'done' && isOpen ? 'yellow' : PHASE_COLOURS[phase]

const joined = (...parts: readonly string[]): string => parts.filter(Boolean).join('  ')
