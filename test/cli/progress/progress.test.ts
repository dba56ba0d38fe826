import { PassThrough } from 'node:stream'
import type { WriteStream } from 'node:tty'
import { describe, expect, jest, test } from '@jest/globals'
import { displayWidth } from '../../../src/cli/output/display-width.ts'
import { eventLog } from '../../../src/cli/progress/event-log.ts'
import { symbolsFor } from '../../../src/cli/progress/symbols.ts'
import { liveProgress } from '../../../src/cli/progress/live-progress.ts'
import { plainProgress } from '../../../src/cli/progress/plain-progress.ts'
import type { Progress } from '../../../src/cli/progress/progress-tracker.ts'
import { streamLines } from '../../../src/cli/progress/stream-lines.ts'
import { StreamProgress } from '../../../src/cli/progress/stream-progress.ts'
import { WindowProgress } from '../../../src/cli/progress/window-progress.ts'
import type { RunEvent } from '../../../src/model/event.ts'
import { Screen } from '../support/screen.ts'

const counts = {
  fetched: 0,
  expanded: 0,
  filtered: 0,
  duplicate: 0,
  rejected: 0,
  parents: 0,
  inserted: 0,
  updated: 0,
  unchanged: 0,
}
const started: RunEvent = { type: 'slice.started', stream: 's', slice: '1', resumed: false }
const request: RunEvent = {
  type: 'request.finished',
  stream: 's',
  method: 'GET',
  url: 'http://x',
  status: 200,
  bytes: 1,
  ms: 1,
}
const batch = (fetched: number, slice = '1'): RunEvent => ({
  type: 'batch.committed',
  stream: 's',
  slice,
  seq: 1,
  pages: 1,
  bytes: 1,
  ms: 1,
  counts: { ...counts, fetched, inserted: fetched },
})
const finished = (slice: string): RunEvent => ({ type: 'slice.finished', stream: 's', slice, counts })
const retry: RunEvent = { type: 'request.retried', stream: 's', attempt: 1, reason: 'GET / answered 503', waitMs: 900 }
const waiting = (ms: number): RunEvent => ({ type: 'waiting', stream: 's', for: 'retry-after', ms })
const plan = (states: string, toRead = states.split('').filter((one) => 'of'.includes(one)).length): RunEvent => ({
  type: 'backfill.planned',
  stream: 's',
  backfill: '1',
  from: 'a',
  to: 'b',
  window: '1d',
  zone: 'UTC',
  windows: { total: states.length, done: 0, failed: 0, skipped: 0, open: 0 },
  toRead,
  states,
})
const window = (place: number): RunEvent => ({
  type: 'slice.started',
  stream: 's',
  slice: String(place),
  resumed: false,
  lower: 'a',
  upper: 'b',
  windowIndex: place,
})

const symbols = symbolsFor({ LANG: 'en_US.UTF-8' })
const linesAt = (stream: StreamProgress, now: number, width: number): string[] =>
  streamLines(stream, now, { nameWidth: displayWidth(stream.name), width, symbols, paint: (_, text) => text })
const streamAfter = (name: string, ...events: readonly (readonly [RunEvent, number])[]): StreamProgress => {
  const stream = new StreamProgress(name)
  for (const [event, now] of events) stream.event(event, now)
  return stream
}

/** A terminal of the process's own, whose screen can be looked at. */
function terminal({ columns = 80, rows = 24 } = {}): {
  readonly screen: Screen
  readonly stream: WriteStream
  readonly bytes: () => number
} {
  const screen = new Screen({ columns, rows })
  let bytes = 0
  const stream = Object.assign(new PassThrough(), {
    columns,
    rows,
    isTTY: true,
    getColorDepth: () => 1,
    hasColors: () => false,
  })
  stream.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    screen.write(chunk.toString().replaceAll('\n', '\r\n'))
  })
  return { screen, stream: stream as unknown as WriteStream, bytes: () => bytes }
}

describe('the line of a stream', () => {
  const stream = streamAfter(
    'a_stream_name',
    [started, 0],
    ...Array.from({ length: 1_234 }, () => [request, 500] as const),
    [batch(9_999_999), 1_000],
    [retry, 1_900],
    [waiting(900), 1_900],
  )

  test('shows rows, rows per second, requests and the current wait, in 80 columns and in 40', () => {
    expect(linesAt(stream, 2_000, 79)).toEqual([
      'a_stream_name  9,999,999 rows 5,000,000/s   1,234 requests  waits: Retry-After',
    ])
    expect(linesAt(stream, 2_000, 99)).toEqual([
      'a_stream_name  9,999,999 rows 5,000,000/s   1,234 requests  1 retry  waits: Retry-After 1 s',
    ])
    expect(linesAt(stream, 2_000, 39)).toEqual(['a_stream_name 9,999,999 rows  waits 1 s'])
    expect(linesAt(new StreamProgress('s'), 0, 79)).toEqual([
      's          0 rows       0/s       0 requests  waits: its turn',
    ])
  })

  test('is never wider than the terminal, in any state', () => {
    for (let width = 12; width < 120; width += 1) {
      for (const one of [
        stream,
        new StreamProgress('日本語の名前'),
        streamAfter('s', [plan('ooddffss'.repeat(200)), 0], [window(3), 1], [waiting(90_000), 2], [retry, 3]),
      ]) {
        for (const line of linesAt(one, 2_000, width))
          expect([width, displayWidth(line)]).toEqual([width, Math.min(width, displayWidth(line))])
      }
    }
  })

  test('shows a wait until its time is over, or until the next request', () => {
    const line = streamAfter('s', [started, 0], [{ type: 'waiting', stream: 's', for: 'rate limit', ms: 2_000 }, 100])
    expect(linesAt(line, 2_000, 79)[0]).toMatch(/waits: rate limit 1 s$/)
    expect(linesAt(line, 2_200, 79)[0]).not.toMatch(/waits/)
    line.event(waiting(2_000), 2_300)
    line.event(request, 2_400)
    expect(linesAt(line, 2_500, 79)[0]).toMatch(/1 request +3 s$/)
  })

  test('shows the rate of the last 15 s, and of all its time once it has ended', () => {
    for (const [last, word] of [
      [finished('1'), 'done'],
      [{ type: 'stream.failed', stream: 's', error: 'no' }, 'failed'],
    ] as const) {
      const line = streamAfter('s', [started, 0], [batch(100), 500], [last, 1_000])
      line.end(5_000)
      expect(linesAt(line, 9_000, 79)[0]).toMatch(new RegExp(`100 rows +100/s +0 requests  ${word}$`))
    }
    const slow = streamAfter('s', [started, 0], [batch(100_000), 1_000], [batch(10), 30_000], [batch(10), 40_000])
    expect(slow.rate(40_000)).toBeLessThan(10)
    const stopped = streamAfter('s', [started, 0])
    stopped.end(1_000)
    expect(linesAt(stopped, 9_000, 79)[0]).toMatch(/stopped$/)
  })

  test('has a bar and the remaining time only if the API said how many pages there are', () => {
    const line = streamAfter(
      's',
      [started, 0],
      [{ type: 'pages.total', stream: 's', pages: 4 }, 0],
      [batch(100), 10_000],
    )
    expect(linesAt(line, 10_000, 79)).toEqual(['s        100 rows      10/s  ━━━─────────  25%  ~30 s left'])
    expect(linesAt(streamAfter('s', [started, 0], [batch(100), 10_000]), 10_000, 79)).toEqual([
      's        100 rows      10/s       0 requests  10 s',
    ])
  })
})

describe('the windows of a backfill', () => {
  const stream = streamAfter(
    's',
    [plan(`${'d'.repeat(6)}${'o'.repeat(30)}ss`), 0],
    ...Array.from({ length: 12 }, (_, number) => [window(6 + number), 1_000] as const),
    ...Array.from({ length: 9 }, (_, number) => [finished(String(6 + number)), 10_000] as const),
    [{ type: 'slice.failed', stream: 's', slice: '15', error: 'no' }, 11_000],
  )

  test('are shown as a bar with the remaining time, and as a map with its legend', () => {
    expect(linesAt(stream, 11_000, 79)).toEqual([
      's  ━━━━━━━━━━━━━━━━━───────────────────────  44% of 38 windows  ~20 s left',
      '          0 rows       0/s       0 requests',
      '  ███████████████✗▶▶··················--',
      '  █ 15 done  ▶ 2 running  ✗ 1 failed  · 18 pending  - 2 skipped',
    ])
    expect(linesAt(stream, 11_000, 39)).toEqual([
      's  44% of 38 windows  ~20 s left',
      '         0 rows',
      '  ██████████████✗▶▶·················-',
      '  █ 15 done  ▶ 2 running  ✗ 1 failed',
    ])
  })

  test('fit the width as cells, and a failed or running window among them is always shown', () => {
    const states = new WindowProgress({ states: 'd'.repeat(1_096), toRead: 0 })
    expect(states.map(70)).toHaveLength(70)
    states.started('x', 500, 0)
    states.ended('x', 'failed')
    states.started('y', 900, 0)
    const map = states.map(70)
    expect(map.filter(({ state }) => state === 'f')).toHaveLength(1)
    expect(map.filter(({ state }) => state === 'r')).toHaveLength(1)
    expect(map.filter(({ state }) => state === 'd')).toHaveLength(68)
    for (const width of [1, 7, 69, 70, 1_095, 1_096, 2_000])
      expect(states.map(width).length).toBe(Math.min(width, 1_096))
    // Nothing is called done of which a part is not.
    expect(new WindowProgress({ states: `${'d'.repeat(99)}o`, toRead: 1 }).map(1)).toEqual([{ state: 'o', done: 0.99 }])
  })

  test('make the stream failed if one of them failed, and stopped if some were not read', () => {
    const through = streamAfter('s', [plan('oo'), 0], [window(0), 1], [finished('0'), 2], [window(1), 2])
    expect(through.phase).toBe('running')
    through.event({ type: 'slice.failed', stream: 's', slice: '1', error: 'no' }, 3)
    through.end(4)
    expect(through.phase).toBe('failed')
    const half = streamAfter('s', [plan('oo'), 0], [window(0), 1], [finished('0'), 2])
    half.end(3)
    expect(half.phase).toBe('stopped')
  })

  test('are drawn in ASCII if the locale is not UTF-8', () => {
    const typed = streamLines(stream, 11_000, {
      nameWidth: 1,
      width: 79,
      symbols: symbolsFor({ LC_ALL: 'C' }),
      paint: (_, text) => text,
    })
    expect(typed.join('')).toMatch(/^[\u0020-\u007e]*$/)
  })
})

const live = (at: ReturnType<typeof terminal>, names = ['s', 'other']): Progress =>
  liveProgress(names, at.stream, { others: [at.stream] })

describe('live lines', () => {
  test('show each stream until the end of the run, keep earlier output, and leave no timer behind', () => {
    jest.useFakeTimers()
    try {
      const at = terminal()
      at.stream.write('before\n')
      {
        using progress = live(at)
        progress.on(started)
        progress.on(batch(5))
        jest.advanceTimersByTime(250)
        expect(at.screen.lines[1]).toMatch(/^s +5 rows/)
        progress.on(finished('1'))
      }
      at.stream.write('after\n')
      expect(at.screen.lines).toEqual([
        'before',
        expect.stringMatching(/^s +5 rows .+ done$/),
        expect.stringMatching(/^other +0 rows .+ stopped$/),
        'after',
        '',
      ])
      expect(jest.getTimerCount()).toBe(0)
    } finally {
      jest.useRealTimers()
    }
  })

  test('have warnings, failures and other output above them, in complete lines', () => {
    const at = terminal()
    {
      using progress = live(at)
      progress.on(started)
      at.stream.write('a pipeline ')
      progress.on({ type: 'warning', stream: 's', message: 'look here' })
      at.stream.write('says this\nand')
      progress.on({ type: 'stream.failed', stream: 's', error: 'it is gone' })
    }
    expect(at.screen.lines).toEqual([
      'warning: s: look here',
      'a pipeline says this',
      'failed: s: it is gone',
      expect.stringMatching(/^s .*failed$/),
      expect.stringMatching(/^other/),
      'and',
    ])
  })

  test('fit the screen with running streams first, and are all shown at the end', () => {
    const at = terminal({ rows: 8 })
    const names = Array.from({ length: 20 }, (_, number) => `s${number}`)
    {
      using progress = live(at, names)
      for (const stream of ['s7', 's19']) progress.on({ ...started, stream })
      progress.on({ ...finished('1'), stream: 's3' } as RunEvent)
      at.stream.emit('resize')
      expect(at.screen.lines).toHaveLength(7)
      expect(at.screen.lines.slice(0, 2)).toEqual([expect.stringMatching(/^s7 /), expect.stringMatching(/^s19 /)])
      expect(at.screen.lines[5]).toMatch(/^and 14 waiting, 1 done$/)
    }
    expect(at.screen.lines.filter((line) => / rows /.test(line))).toHaveLength(20)
  })

  test('leave nothing behind when the terminal becomes narrower and wider', () => {
    const at = terminal()
    {
      using progress = live(at, ['a_long_name', 'another_long_name'])
      progress.on({ ...started, stream: 'a_long_name' })
      for (const columns of [40, 23, 120, 30, 80]) {
        at.screen.resize(columns, 24)
        Object.assign(at.stream, { columns })
        at.stream.emit('resize')
      }
    }
    expect(at.screen.lines).toEqual([
      expect.stringMatching(/^a_long_name/),
      expect.stringMatching(/^another_long_name/),
      '',
    ])
  })

  test('use 80 columns on a terminal that says it has 0', () => {
    const at = terminal()
    Object.assign(at.stream, { columns: 0, rows: 0 })
    live(at)[Symbol.dispose]()
    expect(at.screen.lines).toEqual([expect.stringMatching(/^s .*stopped$/), expect.stringMatching(/^other/), ''])
  })

  test('are written at most five times a second, and only if something changed', () => {
    jest.useFakeTimers()
    try {
      const at = terminal()
      using progress = live(at)
      const before = at.bytes()
      jest.advanceTimersByTime(10_000)
      expect(at.bytes()).toBe(before)
      progress.on(started)
      for (let event = 0; event < 10_000; event += 1) {
        progress.on(request)
        if (event % 1_000 === 0) jest.advanceTimersByTime(100)
      }
      expect(at.bytes() - before).toBeLessThan(6 * 300)
    } finally {
      jest.useRealTimers()
    }
  })
})

test('plain lines are printed if something changed, without a map', () => {
  jest.useFakeTimers()
  try {
    const printed: string[] = []
    {
      using progress = plainProgress(['s'], (line) => printed.push(line), 1_000)
      jest.advanceTimersByTime(1_100)
      jest.advanceTimersByTime(1_000)
      progress.on(started)
      progress.on({ type: 'stream.failed', stream: 's', error: 'no' })
      jest.advanceTimersByTime(1_000)
    }
    expect(printed).toEqual([
      expect.stringMatching(/waits: its turn$/),
      'failed: s: no',
      expect.stringMatching(/failed$/),
    ])
    expect(jest.getTimerCount()).toBe(0)
  } finally {
    jest.useRealTimers()
  }
})

test('an event is one line of JSON with a level', () => {
  const to = new PassThrough()
  const log = eventLog('billing', to)
  for (const event of [
    started,
    { type: 'warning', message: 'two\nlines' },
    { type: 'stream.failed', stream: 's', error: 'no' },
  ] as const)
    log.on(event)
  const lines = String(to.read())
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { level: string; time: string })
  expect(lines).toEqual([
    { level: 'info', time: expect.any(String), pipeline: 'billing', ...started },
    { level: 'warn', time: expect.any(String), pipeline: 'billing', type: 'warning', message: 'two\nlines' },
    { level: 'error', time: expect.any(String), pipeline: 'billing', type: 'stream.failed', stream: 's', error: 'no' },
  ])
  expect(Date.parse(lines[0]!.time)).not.toBeNaN()
})
