// Slack: channels, their messages, and users.
//
// Docs:      docs.slack.dev (conversations.list, conversations.history, users.list, pagination, rate limits);
//            looked up 2026-11-27
// Secrets:   SLACK_TOKEN, a bot token with channels:read, channels:history and users:read
// Limits:    by method: 20 a minute for lists, 50 for histories; 429 with Retry-After. Apps that are sold outside of
//            the marketplace: 1 a minute and 15 messages each
// Paging:    `response_metadata.next_cursor`, empty on the last page; pages may be shorter than the limit
// Increment: messages by `oldest`, in each channel from its own last one: so a channel that the bot joins is read
//            whole. An edit keeps the time of its message, hence the lookback. Replies of a thread are not in the
//            history
// Deletions: a deleted message is not in the history any more; a deleted user has `deleted: true`
import { baseUrl, bearer, byCursor, http, pipeline, secret, since, time, unix } from 'sluice'

interface Paged {
  ok: boolean
  response_metadata?: { next_cursor: string }
}

interface Channel {
  id: string
  name: string
  is_archived: boolean
  is_member: boolean
  created: number
  num_members?: number
}

interface Message {
  /** Seconds since 1970, with six digits behind the point: unique in its channel. */
  ts: string
  type: string
  subtype?: string
  user?: string
  bot_id?: string
  text: string
  thread_ts?: string
  reply_count?: number
  edited?: { user: string; ts: string }
}

interface User {
  id: string
  name: string
  real_name?: string
  deleted: boolean
  is_bot: boolean
  updated: number
}

const seconds = time('unix')
const api = http(baseUrl('SLACK_API', 'https://slack.com/api'), {
  auth: bearer(secret('SLACK_TOKEN')),
  responseRules: [{ status: 200, body: { ok: false }, action: 'fail', message: 'error' }],
})
/** Each method has a budget of its own, by the tier that its page names. */
const [tier2, tier3] = [{ rate: '20/m' }, { rate: '50/m' }] as const

const next = 'response_metadata.next_cursor'

const channels = api
  .get<Paged & { channels: Channel[] }>('/conversations.list', { types: 'public_channel', limit: 200 }, tier2)
  .pages(byCursor('cursor', next))
  .records('channels')

const messages = channels
  .filter(({ is_member }) => is_member)
  .flatMap(({ id: channel }) =>
    api
      .get<Paged & { messages: Message[] }>(
        '/conversations.history',
        { channel, limit: 200, oldest: unix(since) },
        tier3,
      )
      .pages(byCursor('cursor', next))
      .records('messages')
      .incremental('ts', { time: seconds, lookback: '1d', perParent: true })
      .map(({ ts, type, subtype, user, bot_id, text, thread_ts, reply_count, edited }) => ({
        channel,
        ts,
        sent_at: ts,
        type,
        subtype,
        user: user ?? bot_id,
        text,
        thread_ts,
        reply_count,
        edited_at: edited?.ts,
      })),
  )

const users = api
  .get<Paged & { members: User[] }>('/users.list', { limit: 200 }, tier2)
  .pages(byCursor('cursor', next))
  .records('members')
  .pick('id', 'name', 'real_name', 'deleted', 'is_bot', 'updated')

export default pipeline('slack', {
  streams: {
    channels: channels
      .pick('id', 'name', 'is_archived', 'is_member', 'num_members')
      .into('slack.channels', { key: 'id' }),
    messages: messages.into('slack.messages', {
      key: ['channel', 'ts'],
      columns: { ts: 'text', sent_at: seconds, edited_at: seconds },
    }),
    users: users.into('slack.users', { key: 'id', columns: { updated: seconds } }),
  },
})
