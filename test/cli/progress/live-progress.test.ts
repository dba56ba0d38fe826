/** @jest-environment ./test/support/jest/isolated-environment.ts */
import { PassThrough } from 'node:stream'
import type { WriteStream } from 'node:tty'
import { describe, expect, jest, test } from '@jest/globals'
import { eventLog } from '../../../src/cli/progress/event-log.ts'
import { liveProgress } from '../../../src/cli/progress/live-progress.ts'
import { plainProgress } from '../../../src/cli/progress/plain-progress.ts'
import type { Progress } from '../../../src/cli/progress/progress-tracker.ts'
import type { RunEvent } from '../../../src/model/event.ts'
import { Screen } from '../support/screen.ts'
import { batch, finished, request, started } from './progress-events.ts'

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

const failed = (stream: string): RunEvent => ({ type: 'stream.failed', stream, error: 'no' })

test('a failure that a report repeats at once is left to the report, and told while other streams go on', () => {
  const printed: string[] = []
  {
    using progress = plainProgress(['s', 'other'], (line) => printed.push(line.slice(21)), { isReported: true })
    for (const stream of ['s', 'other']) progress.on(failed(stream))
  }
  expect(printed.filter((line) => line.includes('failed: '))).toEqual(['  failed: s: no'])
})

test('plain lines say what happened once, and how far a stream is if that changed', () => {
  jest.useFakeTimers()
  try {
    const printed: string[] = []
    {
      using progress = plainProgress(['s'], (line) => printed.push(line.slice(21)), { prefix: 'shop.', everyMs: 1_000 })
      jest.advanceTimersByTime(1_100)
      progress.on(started)
      const retried = { type: 'request.retried', stream: 's', attempt: 1, reason: '503\u001b[2J', waitMs: 20 } as const
      progress.on(retried)
      progress.on(retried)
      progress.on(request)
      jest.advanceTimersByTime(3_000)
      progress.on({ type: 'waiting', stream: 's', for: 'rate limit', ms: 4_000 })
      progress.on({ type: 'waiting', stream: 's', for: 'retry-after', ms: 60_000 })
      progress.on({ type: 'stream.failed', stream: 's', error: 'no\nmore' })
      jest.advanceTimersByTime(1_000)
    }
    expect(printed).toEqual([
      'shop.s  reads from the start',
      'shop.s  tries again in 0.0 s: 503[2J',
      'shop.s  0 rows, 0/s, 1 request, 2 retries',
      'shop.s  waits 1 min 0 s: retry-after',
      'shop  failed: s: no more',
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
