import { describe, expect, test } from '@jest/globals'
import { displayWidth } from '../../../src/cli/output/display-width.ts'
import { symbolsFor } from '../../../src/cli/progress/symbols.ts'
import { streamLines } from '../../../src/cli/progress/stream-lines.ts'
import { StreamProgress } from '../../../src/cli/progress/stream-progress.ts'
import { WindowProgress } from '../../../src/cli/progress/window-progress.ts'
import type { RunEvent } from '../../../src/model/event.ts'
import { batch, counts, finished, plan, request, retry, started, waiting, window } from './progress-events.ts'

const symbols = symbolsFor({ LANG: 'en_US.UTF-8' })
const linesAt = (stream: StreamProgress, now: number, width: number): string[] =>
  streamLines(stream, now, { nameWidth: displayWidth(stream.name), width, symbols, paint: (_, text) => text })
const streamAfter = (name: string, ...events: readonly (readonly [RunEvent, number])[]): StreamProgress => {
  const stream = new StreamProgress(name)
  for (const [event, now] of events) stream.event(event, now)
  return stream
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

  test('that are not proven complete are marked, and the stream does not end as done', () => {
    const unproven: RunEvent = {
      type: 'slice.finished',
      stream: 's',
      slice: '2',
      counts,
      completeness: { grade: 'open', reasons: ['odd'] },
    }
    const filled = streamAfter('s', [plan('duo'), 0], [window(2), 1], [unproven, 2])
    filled.end(3)
    expect(linesAt(filled, 4, 79)).toEqual([
      's  ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━  100% of 3 windows  not proven',
      '          0 rows       0/s       0 requests',
      '  █??',
      '  █ 1 done  ? 2 not proven',
    ])
    const read = streamAfter('s', [started, 0], [batch(100), 500], [{ ...unproven, slice: '1' }, 1_000])
    expect(linesAt(read, 9_000, 79)[0]).toMatch(/0 requests  not proven$/)
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
