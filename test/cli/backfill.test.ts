import { describe, expect, test } from '@jest/globals'
import type { Report } from '../../src/model/report.ts'
import { apiServer } from '../support/api-server.ts'
import { testDatabase } from '../support/database.ts'
import { answering, rows } from '../backfill/source.ts'
import { callSluice } from './support/call.ts'
import { project } from './support/command.ts'

const fill = `
import { byCursor, http, onePage, pipeline, since, until } from 'SLUICE'
const api = http(process.env.FILL_API)
const rows = api.get('/rows', { since, until }).pages(byCursor('after', 'next')).records('items').incremental('updated')
const whole = api.get('/whole').pages(onePage()).records('items')
export default pipeline('fill', {
  streams: { rows: rows.into('t.rows', { key: 'id' }), whole: whole.into('t.whole', { key: 'id' }) },
})
`

describe('sluice backfill', () => {
  test('plans, reads, names a window that failed, and reads it again', async () => {
    let broken = true
    const answer = answering(() => rows(24 * 40))
    await using api = await apiServer((request) =>
      broken && request.query.get('since')?.startsWith('2024-02-02') === true
        ? { status: 404, json: {} }
        : answer(request),
    )
    await using database = await testDatabase()
    await using here = await project({ 'pipelines/fill.ts': fill })
    const sluice = (...args: string[]) =>
      callSluice(args, { cwd: here.cwd, env: { FILL_API: api.origin, DATABASE_URL: database.url } })
    const words = ['backfill', 'fill.rows', '--from', '2024-01-31', '--to', '2024-02-03']

    const dry = await sluice(...words, '--dry-run')
    const wrong = await sluice(...words, '--window', '1m')
    const none = await sluice('backfill', 'fill.whole', ...words.slice(2))
    const missing = await sluice('backfill', 'fill.rows', '--from', '2024-01-31')
    expect(dry).toMatchObject({ code: 0, stderr: '' })
    expect(dry.stdout).toContain(
      'fill.rows: a new backfill, 2024-01-31T00:00:00Z to 2024-02-03T00:00:00Z, 3 windows of 1d\n3 to read\n',
    )
    expect(dry.stdout).toMatch(/2024-02-02T00:00:00Z {2}2024-02-03T00:00:00Z {5}24/)
    expect(dry.stdout).toContain('Nothing was requested, and nothing was written.')
    expect(wrong).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining("'1m' is not a window") })
    expect(none).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining(
        'fill.whole: nothing decides which of its records belong to a window. Add .incremental(',
      ),
    })
    expect(missing).toMatchObject({ code: 2, stderr: expect.stringContaining('--to') })
    expect(api.requests).toEqual([])

    const failed = await sluice(...words, '--json', '--concurrency', '2')
    expect(failed).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(
        'fill.rows failed: 1 window of 3 failed, 2024-02-02T00:00:00Z to 2024-02-03T00:00:00Z, ' +
          'with: GET /rows answered 404',
      ),
    })
    expect(JSON.parse(failed.stdout) as Report).toMatchObject({
      kind: 'backfill',
      streams: { rows: { counts: { inserted: 48 }, backfill: { windows: { total: 3, done: 2, failed: 1 } } } },
    })
    const again = await sluice(...words, '--dry-run', '--only', 'failed', '--json')
    expect(JSON.parse(again.stdout)).toMatchObject([
      {
        backfill: '1',
        toRead: 1,
        windows: [
          { status: 'done' },
          { status: 'done' },
          { status: 'failed', toRead: true, error: expect.stringContaining('404') },
        ],
      },
    ])

    broken = false
    const done = await sluice(...words, '--only', 'failed', '--log-format', 'json')
    expect(done.code).toBe(0)
    const events = done.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { type: string })
    expect(events.map(({ type }) => type)).toEqual(
      expect.arrayContaining(['backfill.planned', 'slice.started', 'slice.finished', 'report']),
    )
    const shown = await sluice('runs', '2')
    expect(shown.stdout).toContain('backfill 1 continued, 2024-01-31T00:00:00Z to 2024-02-03T00:00:00Z')
    expect(shown.stdout).toContain('3 of 3 windows of 1d done')
  })
})
