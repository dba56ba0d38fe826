import { expect, test } from '@jest/globals'
import { examine } from '../../src/run/doctor/doctor.ts'
import type { DoctorFinding } from '../../src/run/doctor/doctor-finding.ts'
import { openShop, type Shop } from './support/shop.ts'

const OTHER = `
import { bearer, http, onePage, pipeline, secret } from 'SLUICE'
const api = http('http://127.0.0.1:1', { auth: bearer(secret('DOCTOR_TOKEN')) })
export default pipeline('other', {
  streams: { rows: api.get('/rows').pages(onePage()).records().into('t.other', { key: 'id' }) },
})
`

interface Doctors {
  readonly ok: boolean
  readonly findings: readonly DoctorFinding[]
}

async function doctor({ sluice }: Shop, ...words: string[]): Promise<Doctors & { readonly code: number | null }> {
  const { code, stdout, stderr } = await sluice('doctor', '--json', ...words)
  expect(stderr).toBe('')
  return { code, ...(JSON.parse(stdout) as Doctors) }
}

const texts = ({ findings }: Doctors, type: DoctorFinding['type']): string[] =>
  findings.filter((one) => one.type === type).map(({ check, text }) => `${check}: ${text}`)

test('sluice doctor finds nothing wrong with a healthy project, then each fault with what to do', async () => {
  await using shop = await openShop({ 'pipelines/other.ts': OTHER })
  const { database } = shop.database
  await shop.sluice('run', 'shop', '--quiet')

  const good = await shop.sluice('doctor', 'shop')
  expect(good).toMatchObject({ code: 0, stderr: '' })
  for (const check of [
    'pipelines: 1 pipeline with 2 streams',
    'secrets: all that 1 pipeline needs are set',
    'database: .*PostgreSQL \\d+.*; schema sluice: up to date',
    'clock: this machine and the server differ by \\d+ms',
    'connections: \\d+ connections left of max_connections \\d+, \\d+ in use; a run opens up to 11',
    'tables: 2 tables with the rights, keys and columns that runs need',
    'bloat: \\d+ tables of targets and ledger without many dead rows',
    'transactions: none is older than an hour',
    'ledger: up to date, .* [kM]B \\(.*\\)',
    'leases: no process has left one behind',
    'ticks: none was missed in the last 24 hours',
    'limits: no API has asked to wait',
    'incidents: none is open',
  ])
    expect(good.stdout).toMatch(new RegExp(`^ok       ${check}$`, 'm'))
  expect(good.stdout).toMatch(/^note {5}settings: nobody is told of problems\./m)
  expect(good.stdout).toMatch(/^note {5}streams: shop\.orders: 1 record could not be stored\./m)
  expect(good.stdout).toMatch(/\nNo problems found\.\n$/)

  await database.query(`insert into sluice.runs (kind, pipeline, options, seen_at)
                        values ('sync', 'shop', '{}', now() - interval '1 hour')`)
  await database.query(`update sluice.slices set status = 'open', finished_at = null, position = null,
                               lease_until = now() - interval '1 hour' where stream = 'lines'`)
  await database.query(
    `insert into sluice.schedules (pipeline, registered_at) values ('shop', now() - interval '2 day')`,
  )
  await database.query(`insert into sluice.ticks (pipeline, tick, status, finished_at)
                        values ('shop', now() - interval '2 hours', 'missed', now())`)
  await database.query(
    `insert into sluice.incidents (pipeline, stream, kind, message) values ('shop', 'orders', 'failed', '')`,
  )
  await database.query(`insert into sluice.notices (incident, event, target, error)
                        select id, 'opened', 'webhook', 'ECONNREFUSED' from sluice.incidents`)
  await database.query(
    `select sluice.note_shared_key(max(id), $1, 'two records have id 1')
                          from sluice.slices where stream = 'orders'`,
    [JSON.stringify(['shop.orders', ['id'], 'merge', 'updated'])],
  )
  await database.query(`update sluice.pruning set due_at = now() - interval '3 days'`)
  await database.query(`alter table shop.lines set (autovacuum_enabled = false)`)
  await using session = await database.connection()
  await session.query(`insert into shop.lines ("order", line) select n, 3 from generate_series(1, 2000) as n`)
  await session.query('delete from shop.lines where line = 3')
  await session.query('select pg_stat_force_next_flush()')
  const all = await doctor(shop)
  expect(all).toMatchObject({ code: 1, ok: false })
  const [problems, notes] = [texts(all, 'problem').join('\n'), texts(all, 'note').join('\n')]
  expect(problems).toMatch(/^secrets: other\.rows: secret DOCTOR_TOKEN is not set/m)
  expect(problems).toMatch(/^leases: shop: the process of run \d+ is gone since .*: sluice run shop$/m)
  expect(problems).toMatch(/^leases: shop\.lines: the process of run \d+ is gone/m)
  expect(problems).toMatch(/^incidents: shop\.orders: failed, open since .* webhook: ECONNREFUSED\. Try it/m)
  expect(problems).toMatch(/^streams: shop\.orders: run \d+ found that the key is not unique: two records have id 1/m)
  expect(notes).toMatch(/^ticks: shop: 1 tick missed in the last 24 hours/m)
  expect(notes).toMatch(/^ledger: .*due to be removed 3 days ago\. Run: sluice prune$/m)
  expect(notes).toMatch(
    /^bloat: shop\.lines: 2,000 dead rows .*never vacuumed; autovacuum is switched off .*: vacuum \(analyze\) shop/m,
  )
  // Twice the same: it has written nothing.
  expect(texts(await doctor(shop), 'problem').toSorted()).toEqual(texts(all, 'problem').toSorted())
})

test('a check that hangs or fails stops no other, and a clock that differs is a problem', async () => {
  await using shop = await openShop()
  await shop.sluice('run', 'shop', '--quiet')
  await using locked = await shop.database.database.transaction()
  await locked.query('lock table sluice.incidents')
  await using session = await shop.database.database.connection()
  await session.query('alter table sluice.ticks rename column tick to moment')
  const found: DoctorFinding[] = []
  const options = { database: shop.database.url, environment: {}, signal: new AbortController().signal }
  for await (const finding of examine([], { ...options, limitMs: 3_000, now: () => Date.now() + 120_000 }))
    found.push(finding)
  const problems = texts({ ok: false, findings: found }, 'problem').join('\n')
  expect(problems).toMatch(/^incidents: it took longer than 3s, .*pg_stat_activity/m)
  expect(problems).toMatch(/^ticks: column "tick" does not exist/m)
  expect(problems).toMatch(/^clock: this machine is 2m ahead of the server: .*NTP/m)
  expect(found.filter(({ type }) => type === 'ok').map(({ check }) => check)).toEqual(
    expect.arrayContaining(['database', 'connections', 'leases', 'limits']),
  )
})

test('sluice doctor needs no server: it says why there is none', async () => {
  await using shop = await openShop()
  const ended = await shop.sluice('doctor', '--database', 'postgres://nobody@127.0.0.1:1/none?connect_timeout=1')
  expect(ended.code).toBe(1)
  expect(ended.stdout).toMatch(/^problem {2}database: .*127\.0\.0\.1:1/m)
})
