import { describe, expect, test } from '@jest/globals'
import { byPage, http, onePage, path, since, source } from '../../../src/index.ts'
import type { RunEvent } from '../../../src/model/event.ts'
import { apiServer } from '../../support/api-server.ts'
import { readPages } from '../read-pages.ts'
import { boundaryOf, counted, follow, highOf, idsOf, late, sum, teamsOf, type Row } from './follow-rows.ts'

describe('records at the boundary', () => {
  test('records that the last run has stored at the boundary are duplicates', async () => {
    const first = await follow(
      [
        { id: 1, at: 2 },
        { id: 3, at: 3 },
        { id: 4, at: 3 },
        { id: 4, at: 3 },
      ],
      {},
      { boundary: {} },
    )
    const { value, hashes = [] } = first[0]!.highWaterMark!
    const boundary = counted(hashes)
    expect(hashes).toHaveLength(3)
    const second = await follow(
      [
        { id: 3, at: 3 },
        { id: 4, at: 3 },
        { id: 4, at: 3 },
        { id: 4, at: 3 },
        { id: 5, at: 3 },
        { id: 6, at: 4 },
      ],
      {},
      { since: value, boundary },
    )
    // Three records with id 4 came, and two were stored: one is new.
    expect({ ids: idsOf(second), duplicate: sum(second, 'duplicate') }).toEqual({ ids: [4, 5, 6], duplicate: 3 })
  })

  test('records at the boundary are remembered, also those that this run left out', async () => {
    const first = await follow([{ id: 1, at: 3 }], {}, { boundary: {} })
    const again = await follow(
      [{ id: 1, at: 3 }],
      {},
      { since: '3', boundary: { [first[0]!.highWaterMark!.hashes![0]!]: 1 } },
    )
    expect(idsOf(again)).toEqual([])
    expect(again[0]!.highWaterMark).toEqual(first[0]!.highWaterMark)
  })

  test('records beyond a cursor that was limited to the present are remembered', async () => {
    const startedAt = new Date('2024-06-01T00:00:00Z')
    const first = await follow([{ id: 1, at: '2099-01-01T00:00:00Z' }], {}, { boundary: {}, startedAt })
    const again = await follow(
      [
        { id: 1, at: '2099-01-01T00:00:00Z' },
        { id: 2, at: '2024-06-02T00:00:00Z' },
      ],
      {},
      {
        since: first[0]!.highWaterMark!.value,
        boundary: { [first[0]!.highWaterMark!.hashes![0]!]: 1 },
        startedAt: new Date('2024-06-03T00:00:00Z'),
      },
    )
    expect(idsOf(again)).toEqual([2])
  })
})

describe('records that are newer than the start of the slice, without a key', () => {
  const startedAt = new Date('2024-06-01T00:00:00.9Z')

  test('newer records beyond the quota of hashes are left to the next run: none is lost or doubled', async () => {
    const events: RunEvent[] = []
    const boundaryQuota = { remaining: 2, reported: false }
    const rows = [{ id: 0, at: '2024-05-01' }, late(1), late(2), late(3), late(4, '2099-01-01')]
    const first = await follow(
      rows,
      {},
      { boundary: {}, startedAt, boundaryQuota, emit: (event) => void events.push(event) },
    )
    expect({ ids: idsOf(first), filtered: sum(first, 'filtered'), high: highOf(first) }).toEqual({
      ids: [0, 1, 2],
      filtered: 2,
      high: '2024-06-01T00:00:00Z',
    })
    expect(events).toEqual([
      expect.objectContaining({ type: 'warning', message: expect.stringContaining('left to the next run') }),
    ])
    const second = await follow(
      rows,
      {},
      {
        since: highOf(first),
        boundary: boundaryOf(first),
        startedAt: new Date('2024-06-02'),
        boundaryQuota: { remaining: 2, reported: false },
      },
    )
    expect({ ids: idsOf(second), duplicate: sum(second, 'duplicate') }).toEqual({ ids: [3, 4], duplicate: 2 })
    // The record of 2099 is remembered beyond the cursor.
    expect(Object.keys(boundaryOf(second))).toHaveLength(1)
  })

  test('newer records are remembered together, in all formats', async () => {
    const pages = [
      [late(1, '2024-06-01T00:00:02Z')],
      [late(2, '2024-06-01T00:00:03.125Z')],
      [late(3, '2024-06-01T00:00:00Z')],
      [late(4, '2024-06-01T02:00:00.5+02:00')],
    ]
    const flow = source<Row>(async function* () {
      for (const records of pages) yield { records }
    }).incremental((row) => row.at as string)
    const first = await readPages(flow, { boundary: {}, startedAt })
    const second = await readPages(flow, {
      since: highOf(first),
      boundary: boundaryOf(first),
      startedAt: new Date('2024-06-02'),
    })
    expect(idsOf(second)).toEqual([])
  })

  test('newer records beyond a stored cursor in the future are not stored twice by the next run', async () => {
    const first = await follow(
      [late(1, '2024-07-01'), late(2, '2024-08-01')],
      {},
      { since: '2024-07-01', boundary: {}, startedAt },
    )
    expect(highOf(first)).toBe('2024-07-01')
    const second = await follow(
      [late(1, '2024-07-01'), late(2, '2024-08-01'), late(3, '2024-08-01')],
      {},
      { since: '2024-07-01', boundary: boundaryOf(first), startedAt },
    )
    expect(idsOf(second)).toEqual([3])
  })

  test('newer records are all stored if rows have a key', async () => {
    expect(
      idsOf(await follow([late(1), late(2)], {}, { startedAt, boundaryQuota: { remaining: 0, reported: false } })),
    ).toEqual([1, 2])
  })
})

describe('equal records of several parents at the boundary', () => {
  interface Place {
    id: string
    seen?: number
  }

  test('equal records differ by the requests that lead to them, whatever else changes', async () => {
    let orgs: Record<string, Place[]> = { a: [{ id: 'x' }, { id: 'y' }] }
    await using server = await apiServer(({ path: requestPath, query }) => ({
      json: bodyOf(requestPath, query.get('page')),
    }))
    const bodyOf = (requestPath: string, page: string | null): unknown => {
      if (requestPath === '/orgs') return Object.keys(orgs).map((id) => ({ id }))
      if (requestPath !== '/days') return orgs[requestPath.split('/')[2] ?? '']
      return page === '1' ? [{ day: '2024-01-05' }] : []
    }
    const api = http(server.origin)
    const flow = api
      .get<Place[]>('/orgs')
      .pages(onePage())
      .records()
      .flatMap((org) =>
        api
          .get<Place[]>(path`/orgs/${org.id}/teams`)
          .pages(onePage())
          .records()
          .flatMap((team) =>
            api
              .get<{ day: string }[]>('/days', { team: team.id, since })
              .pages(byPage('page'))
              .records()
              .incremental('day')
              .map((day) => ({ ...day, team: `${org.id}/${team.id}` })),
          ),
      )
    const first = await readPages(flow, { restart: 'slice', boundary: {} })
    expect(teamsOf(first)).toEqual(['a/x', 'a/y'])
    orgs = { b: [{ id: 'x' }], a: [{ id: 'y', seen: 7 }, { id: 'z' }, { id: 'x' }] }
    const second = await readPages(flow, { restart: 'slice', since: '2024-01-05', boundary: boundaryOf(first) })
    expect({ teams: teamsOf(second), duplicate: sum(second, 'duplicate') }).toEqual({
      teams: ['b/x', 'a/z'],
      duplicate: 2,
    })
  })

  test('equal records have the same hash if a function makes the query from the range', async () => {
    await using server = await apiServer(({ path: requestPath }) => ({
      json: requestPath === '/orgs' ? [{ id: 'x' }, { id: 'y' }] : [{ day: '2024-01-05' }],
    }))
    const api = http(server.origin)
    for (const query of [
      (range: { since?: string | undefined }) => ({ q: `from ${range.since}` }),
      (range: { since?: string | undefined }) => ({ year: range.since!.slice(0, 4) }),
    ]) {
      const flow = api
        .get<Place[]>('/orgs')
        .pages(onePage())
        .records()
        .flatMap((org) =>
          api
            .get<{ day: string }[]>(path`/orgs/${org.id}`, query)
            .pages(onePage())
            .records()
            .incremental('day', { startFrom: '2023-01-01' }),
        )
      const first = await readPages(flow, { restart: 'slice', boundary: {} })
      const second = await readPages(flow, { restart: 'slice', since: '2024-01-05', boundary: boundaryOf(first) })
      expect([sum(first, 'duplicate'), sum(second, 'duplicate')]).toEqual([0, 2])
    }
  })
})
