import type { RunEvent } from '../../model/event.ts'
import { formatCount, formatNumber } from '../../value/format.ts'
import { onOneLine } from '../output/display-width.ts'
import { formatTime } from '../output/format-time.ts'
import { formatPercent, formatRemaining } from './estimates.ts'
import { eventText } from './event-text.ts'
import { phaseText } from './numbers-line.ts'
import { type Progress, ProgressTracker, type TrackerOptions } from './progress-tracker.ts'
import type { StreamProgress } from './stream-progress.ts'

export interface PlainOptions extends TrackerOptions {
  /** Precedes the name of a stream: `shop.`, or `shops@` where names begin with their account. @default '' */
  readonly prefix?: string
  /** Also prints each request. @default false */
  readonly verbose?: boolean
  /** Milliseconds between two lines about a stream that is being read. @default 10,000 */
  readonly everyMs?: number
}

/**
 * Prints one line for each event that people want to know of, for files, CI and terminals that cannot overwrite lines:
 *
 *     2026-11-28 02:05:01  shop.orders  done in 0.2 s: 250 read, 250 inserted
 *
 * Repeated retries and waits of a stream are printed at most once in each interval.
 */
export function plainProgress(
  names: readonly string[],
  print: (line: string) => void,
  { prefix = '', verbose = false, everyMs = 10_000, isReported }: PlainOptions = {},
): Progress {
  const put = (subject: string, text: string): void =>
    print(`${formatTime(new Date())}  ${onOneLine(subject)}  ${onOneLine(text.replaceAll(/\s*\n\s*/g, ' '))}`)
  const pipeline = prefix.slice(0, -1)
  const tracker = new ProgressTracker(names, (text) => put(pipeline, text), { isReported })
  const printed = new Map<StreamProgress, string>()
  /** Events that may come by the thousand: the kind and the stream, and when the last one was printed. */
  const repeated = new Map<string, number>()
  const isDue = ({ type, ...event }: RunEvent): boolean => {
    if (type !== 'request.retried' && type !== 'waiting') return true
    const key = `${type} ${'stream' in event ? event.stream : ''}`
    const now = performance.now()
    if (now - (repeated.get(key) ?? -Infinity) < everyMs) return false
    repeated.set(key, now)
    return true
  }
  const timer = setInterval(() => {
    for (const stream of tracker.streams) {
      if (stream.phase !== 'running') continue
      const text = progressText(stream, performance.now())
      if (printed.get(stream) !== text) put(prefix + stream.name, text)
      printed.set(stream, text)
    }
  }, everyMs)
  return {
    on(event) {
      tracker.event(event)
      const stream = 'stream' in event && event.stream !== undefined ? event.stream : undefined
      const isOpen = tracker.streams.some(({ name, isOpen }) => name === stream && isOpen)
      const text = eventText(event, { isOpen, verbose })
      if (text !== undefined && isDue(event)) put(stream === undefined ? pipeline : prefix + stream, text)
    },
    [Symbol.dispose]() {
      clearInterval(timer)
      const running = tracker.streams.filter(({ phase }) => phase === 'running')
      tracker.end()
      // Other streams had the event of their end.
      for (const stream of running) put(prefix + stream.name, phaseText(stream))
    },
  }
}

/** `12,400 rows, 2,310/s, 62 requests, 56%, ~3 min left` */
function progressText(stream: StreamProgress, now: number): string {
  const { rows, requests, retries } = stream.sums
  const wait = stream.wait(now)
  const progress = stream.progress(now)
  const windows = stream.windows?.counts
  const facts = [
    windows && `${formatNumber(windows.done + windows.unproven)} of ${formatCount(windows.total, 'window')}`,
    windows && windows.failed > 0 && `${formatNumber(windows.failed)} failed`,
    formatCount(rows, 'row'),
    `${formatNumber(Math.round(stream.rate(now)))}/s`,
    formatCount(requests, 'request'),
    retries > 0 && formatCount(retries, 'retry', 'retries'),
    progress && formatPercent(progress.share),
    progress?.leftMs !== undefined && formatRemaining(progress.leftMs),
    wait && `waits: ${wait.text} ${formatNumber(Math.ceil(wait.ms / 1_000))} s`,
  ]
  return facts.filter((fact) => typeof fact === 'string').join(', ')
}
