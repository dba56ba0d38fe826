import { expect, test } from '@jest/globals'
import { EventHub } from '../../src/server/events/event-hub.ts'
import { testDatabase } from '../support/database.ts'

test('equal requests share one chunk, and the number of kept chunks is limited', async () => {
  await using own = await testDatabase()
  await using hub = await EventHub.open(own.database, { hide: (text) => text })
  const events = Array.from({ length: 200 }, (_, n) => ({
    run: null,
    at: new Date(n).toISOString(),
    data: { type: 'warning', message: `word ${n}` },
  }))
  await own.database.query('select sluice.write_events($1::json)', [JSON.stringify(events)])
  await hub.waitBeyond(199, AbortSignal.timeout(10_000))
  const piece = hub.chunkAfter(100, {}, 65_536)!
  expect(piece.bytes.toString()).toContain('word 100')
  expect(hub.chunkAfter(100, {}, 65_536)).toBe(piece)
  for (let position = 0; position < 200; position += 1) hub.chunkAfter(position, {}, 65_536)
  expect(hub.chunkAfter(100, {}, 65_536)).not.toBe(piece)
  expect(hub.chunkAfter(100, {}, 65_536)).toEqual(piece)
})
