import { PassThrough } from 'node:stream'
import type { WriteStream } from 'node:tty'
import { describe, expect, jest, test } from '@jest/globals'
import { eventLog } from '../../src/cli/progress/event-log.ts'
import { LiveLines } from '../../src/cli/progress/live-lines.ts'
import { liveProgress, plainProgress } from '../../src/cli/progress/progress.ts'
import { StreamLine } from '../../src/cli/progress/stream-line.ts'
import type { RunEvent } from '../../src/model/event.ts'

const counts = { fetched: 0, expanded: 0, filtered: 0, duplicate: 0, rejected: 0, parents: 0, inserted: 0, updated: 0, unchanged: 0 }
const started: RunEvent = { type: 'slice started', stream: 's', slice: '1', resumed: false }
const request: RunEvent = { type: 'request', stream: 's', method: 'GET', url: 'http://x', status: 200, bytes: 1, ms: 1 }
const batch = (fetched: number): RunEvent => ({ type: 'batch', stream: 's', slice: '1', seq: 1, pages: 1, bytes: 1, ms: 1, counts: { ...counts, fetched, inserted: fetched } })

/** What is on the screen after some output: enough of a terminal to go up, to the left and to clear. */
class Screen {
  readonly lines: string[] = ['']
  #row = 0
  readonly stream = Object.assign(new PassThrough(), { columns: 80, rows: 24, isTTY: true, getColorDepth: () => 1, hasColors: () => false }) as unknown as WriteStream

  constructor() {
    this.stream.on('data', (chunk: Buffer) => this.#write(chunk.toString()))
  }

  #write(text: string): void {
    // oxlint-disable-next-line no-control-regex -- Escape sequences are what a terminal is told by.
    for (const [part] of text.matchAll(/\u001b\[\d*[A-Za-z]|\n|[^\u001b\n]+/g)) {
      const up = /\[(\d+)A$/.exec(part)?.[1]
      if (part === '\n') this.lines[(this.#row += 1)] ??= ''
      else if (up) this.#row -= Number(up)
      else if (part.endsWith('[0J')) this.lines.splice(this.#row, Infinity, '')
      else if (!part.startsWith('\u001b')) this.lines[this.#row] += part
    }
  }
}

describe('the line of a stream', () => {
  test('says rows, rows per second, pages, retries and what it waits for, in 80 columns', () => {
    const line = new StreamLine('a_stream_name')
    for (const [event, now] of [[started, 0], ...Array.from({ length: 1_234 }, () => [request, 500] as const), [batch(9_999_999), 1_000], [{ type: 'retry', stream: 's', attempt: 1, reason: 'GET / answered 503', waitMs: 900 }, 1_900], [{ type: 'waiting', stream: 's', for: 'retry-after', ms: 900 }, 1_900]] as const) line.event(event, now)
    expect(line.text(2_000)).toBe('a_stream_name  9,999,999 rows 5,000,000/s  1,234 pages  1 retry  waits: Retry-A…')
    expect(new StreamLine('s').text(0)).toBe('s          0 rows       0/s      0 pages  waits: its turn')
  })

  test('waits no longer than it was told to', () => {
    const line = new StreamLine('s')
    line.event(started, 0)
    line.event({ type: 'waiting', stream: 's', for: 'rate limit', ms: 2_000 }, 100)
    expect(line.text(2_000)).toMatch(/waits: rate limit$/)
    expect(line.text(2_200)).toMatch(/pages$/)
    line.event({ type: 'waiting', stream: 's', for: 'rate limit', ms: 2_000 }, 2_300)
    line.event(request, 2_400)
    expect(line.text(2_500)).toMatch(/1 page$/)
  })

  test('its rate stands still once it is done, failed or was stopped', () => {
    for (const [last, word] of [[{ type: 'slice finished', stream: 's', slice: '1', counts }, 'done'], [{ type: 'stream failed', stream: 's', error: 'no' }, 'failed']] as const) {
      const line = new StreamLine('s')
      for (const [event, now] of [[started, 0], [batch(100), 500], [last, 1_000]] as const) line.event(event, now)
      line.end(5_000)
      expect(line.text(9_000)).toMatch(new RegExp(`100 rows +100/s +0 pages  ${word}$`))
    }
    const line = new StreamLine('s')
    line.event(started, 0)
    line.end(1_000)
    expect(line.text(9_000)).toMatch(/stopped$/)
  })
})

describe('lines of a terminal', () => {
  test('are written over, and what came before them stays', () => {
    const screen = new Screen()
    screen.stream.write('before\n')
    const live = new LiveLines(screen.stream)
    live.show(['one', 'two', 'three'])
    live.show(['ONE', 'TWO'])
    live.show(['1', '2', '3'])
    live[Symbol.dispose]()
    screen.stream.write('after\n')
    expect(screen.lines).toEqual(['before', '1', '2', '3', 'after', ''])
  })

  test('are no more than the screen has', () => {
    const screen = new Screen()
    Object.assign(screen.stream, { rows: 3 })
    const live = new LiveLines(screen.stream)
    live.show(['1', '2', '3', '4'])
    live.show(['a', 'b', 'c', 'd'])
    expect(screen.lines).toEqual(['a', 'b', ''])
  })

  test('show each stream until the run is over, and leave no timer behind', () => {
    jest.useFakeTimers()
    try {
      const screen = new Screen()
      {
        using progress = liveProgress(['s', 'other'], screen.stream)
        progress.on(started)
        progress.on(batch(5))
        jest.advanceTimersByTime(150)
        expect(screen.lines[0]).toMatch(/^s +5 rows/)
        progress.on({ type: 'slice finished', stream: 's', slice: '1', counts })
      }
      expect(screen.lines).toEqual([expect.stringMatching(/^s +5 rows .+ done$/), expect.stringMatching(/^other +0 rows .+ stopped$/), ''])
      expect(jest.getTimerCount()).toBe(0)
    } finally {
      jest.useRealTimers()
    }
  })
})

test('plain lines are printed when something has changed', () => {
  jest.useFakeTimers()
  try {
    const printed: string[] = []
    {
      using progress = plainProgress(['s'], (line) => printed.push(line), 1_000)
      jest.advanceTimersByTime(1_100)
      jest.advanceTimersByTime(1_000)
      progress.on(started)
      progress.on({ type: 'stream failed', stream: 's', error: 'no' })
      jest.advanceTimersByTime(1_000)
    }
    expect(printed).toEqual([expect.stringMatching(/waits: its turn$/), expect.stringMatching(/failed$/)])
    expect(jest.getTimerCount()).toBe(0)
  } finally {
    jest.useRealTimers()
  }
})

test('an event is one line of JSON, with the level that it deserves', () => {
  const to = new PassThrough()
  const log = eventLog('billing', to)
  for (const event of [started, { type: 'warning', message: 'two\nlines' }, { type: 'stream failed', stream: 's', error: 'no' }] as const) log.on(event)
  const lines = String(to.read()).trim().split('\n').map((line) => JSON.parse(line) as { level: string; time: string })
  expect(lines).toEqual([
    { level: 'info', time: expect.any(String), pipeline: 'billing', ...started },
    { level: 'warn', time: expect.any(String), pipeline: 'billing', type: 'warning', message: 'two\nlines' },
    { level: 'error', time: expect.any(String), pipeline: 'billing', type: 'stream failed', stream: 's', error: 'no' },
  ])
  expect(Date.parse(lines[0]!.time)).not.toBeNaN()
})
