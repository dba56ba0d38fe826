import { expect, test } from '@jest/globals'
import { scheduleLine } from '../../../src/cli/output/schedule-line.ts'
import type { ScheduleEvent } from '../../../src/run/schedule/schedule-event.ts'

test('a tick whose run could not prove that it read everything does not say done', () => {
  const event: ScheduleEvent = {
    type: 'tick.finished',
    pipeline: 'shop',
    tick: '2026-05-04T01:00:00Z',
    status: 'done',
    run: '7',
    ms: 300,
    fetched: 10,
    stored: 10,
    rejected: 0,
  }
  expect(scheduleLine(event)).toMatch(/shop {2}\S+ \S+ {2}done in 0\.3 s, run 7: 10 read, 10 stored$/)
  expect(scheduleLine({ ...event, open: ['orders', 'lines'] })).toMatch(
    /ended in 0\.3 s, not proven complete: orders lines, run 7: 10 read, 10 stored$/,
  )
})
