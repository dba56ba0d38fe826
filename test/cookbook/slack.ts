import { afterAll, expect } from '@jest/globals'
import { runPipeline as run } from '../../src/run/run-pipeline.ts'
import type { ApiRequest } from '../support/api-server.ts'
import { testDatabase } from '../support/database.ts'
import { expectRefused, has, numbers, vendor } from './vendor.ts'

const NOW = Math.floor(Date.now() / 1_000)
const channels = numbers(1, 3).map((n) => ({ id: `C${n}`, name: `c${n}`, is_archived: false, is_member: n < 3 }))
const users = numbers(1, 450).map((n) => ({ id: `U${n}`, name: `u${n}`, deleted: false, is_bot: false, updated: NOW }))
/** Newest first, an hour apart. */
const messages = (channel: number) =>
  numbers(1, 410).map((n) => ({
    type: 'message',
    user: 'U1',
    text: `Message ${n}`,
    ts: `${NOW - n * 3_600}.${String(channel).padStart(6, '0')}`,
  }))
const history: Record<string, ReturnType<typeof messages>> = { C1: messages(1), C2: messages(2), C3: messages(3) }

function answer({ path, query }: ApiRequest) {
  const lists: Record<string, [string, readonly unknown[]]> = {
    '/conversations.list': ['channels', channels],
    '/users.list': ['members', users],
    '/conversations.history': [
      'messages',
      (history[query.get('channel') ?? ''] ?? []).filter(({ ts }) => Number(ts) > Number(query.get('oldest') ?? 0)),
    ],
  }
  const [name, all] = lists[path] ?? ['none', []]
  const from = Number(Buffer.from(query.get('cursor') ?? '', 'base64').toString() || 0)
  const end = from + Number(query.get('limit') ?? 100)
  const next_cursor = end < all.length ? Buffer.from(String(end)).toString('base64') : ''
  return { json: { ok: true, [name]: all.slice(from, end), response_metadata: { next_cursor } } }
}

const api = await vendor({
  base: 'SLACK_API',
  prefix: '/api',
  environment: { SLACK_TOKEN: 'xoxb-invented' },
  lets: has('authorization', 'Bearer xoxb-invented'),
  refusal: { json: { ok: false, error: 'invalid_auth' } },
  busy: { status: 429, headers: { 'retry-after': '1' }, json: { ok: false, error: 'ratelimited' } },
  answer,
})
const { default: pipeline } = await import('../../docs/cookbook/slack.ts')
afterAll(async () => api[Symbol.asyncDispose]())

export async function slack(): Promise<void> {
  await using target = await testDatabase()
  const first = await run(pipeline, { database: target.url })
  expect(first.streams).toMatchObject({
    channels: { counts: { inserted: 3 }, completeness: { grade: 'ended' } },
    messages: { counts: { parents: 3, inserted: 820 }, completeness: { grade: 'ended' } },
    users: { counts: { inserted: 450 }, completeness: { grade: 'ended' } },
  })
  expect(api.waited).toBeGreaterThanOrEqual(990)

  history['C2']!.unshift({ ...history['C2']![0]!, text: 'New', ts: `${NOW}.000900` })
  history['C1']![2] = { ...history['C1']![2]!, text: 'Edited' }
  channels[2]!.is_member = true
  users[7] = { ...users[7]!, deleted: true }
  const second = await run(pipeline, { database: target.url })
  expect(second.streams).toMatchObject({
    messages: { counts: { inserted: 411, updated: 1 }, completeness: { grade: 'ended' } },
    users: { counts: { updated: 1, unchanged: 449 } },
  })
  const [row] = await target.database.query("select ts, sent_at from slack.messages where text = 'New'")
  expect(row).toEqual({ ts: `${NOW}.000900`, sent_at: new Date(NOW * 1_000) })
  await expectRefused(pipeline, 'SLACK_TOKEN', target.url)
}
