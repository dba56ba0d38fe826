import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { parseMemory } from '../../../src/cli/program/add-command.ts'
import type { Report } from '../../../src/model/report.ts'
import { apiServer } from '../../support/api-server.ts'
import { testDatabase } from '../../support/database.ts'
import { callSluice } from '../support/call.ts'
import type { Ended } from '../support/command.ts'
import { openShop, orders, shopProject, type Shop } from '../support/shop.ts'

let shop: Shop
const sluice: Shop['sluice'] = (...args) => shop.sluice(...args)
const report = ({ stdout }: Ended): Report => JSON.parse(stdout) as Report

beforeAll(async () => {
  // The environment wins over .env, so this address is never used.
  shop = await openShop({ '.env': 'SHOP_API=http://127.0.0.1:1\n' })
})
afterAll(async () => shop[Symbol.asyncDispose]())

test('a dry run reads, shows rows and rejects, and writes nothing', async () => {
  const ended = await sluice('run', '--dry-run', '--limit', '3')
  expect(ended).toMatchObject({ code: 0 })
  expect(ended.stdout).toMatch(
    /^shop\.orders: from the start, only the first pages: 4 fetched, 1 rejected; 3 rows for shop\.orders$/m,
  )
  expect(ended.stdout).toContain('rejected by map: a negative total: {"id":4')
  expect(ended.stdout).toContain('Nothing was written.')
  expect(await shop.database.database.query('select id from sluice.runs')).toEqual([])
})

describe('sluice run', () => {
  test('prints lines of text where stdout is no terminal, then the report and where to look', async () => {
    const ended = await sluice('run', 'shop')
    expect(ended).toMatchObject({ code: 0, stderr: '' })
    const time = String.raw`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d`
    const line = (text: string): RegExp => new RegExp(`^${time}  ${text}$`, 'm')
    expect(ended.stdout).toMatch(line('shop  run 1 starts: orders, lines'))
    expect(ended.stdout).toMatch(line('shop\\.orders  reads from the start'))
    expect(ended.stdout).toMatch(line('shop\\.orders  table shop\\.orders: created with id bigint, .*'))
    expect(ended.stdout).toMatch(line('shop\\.orders  done in .* s: 5 read, 4 inserted, 1 rejected'))
    expect(ended.stdout).toMatch(/^stream +fetched .*\norders +5 +4 .*/m)
    expect(ended.stdout).toMatch(
      /^shop: done in .*\n\nLook at the rows: {2}npx sluice sql "select \* from (.*) limit 5"\n$/m,
    )
    const look = /"(select .*)"/.exec(ended.stdout)?.[1] ?? ''
    expect((await sluice('sql', look)).stdout).toContain('(4 rows)')
    expect(ended.stdout).not.toContain('GET http')
    expect((await sluice('run', 'shop', '--full', '--verbose')).stdout).toMatch(
      line('shop\\.\\w+  GET http://.*/orders.*: 200, \\d+ kB in .* s'),
    )
  })

  test('with --log-format json prints each event as a line of JSON, the report last', async () => {
    await shop.database.database.query('drop schema shop cascade')
    const ended = await sluice('run', 'shop', '--full', '--log-format', 'json')
    expect(ended).toMatchObject({ code: 0, stderr: '' })
    const lines = ended.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { level: string; pipeline: string; type: string; report?: Report })
    expect(new Set(lines.map(({ type }) => type))).toEqual(
      new Set([
        'run.started',
        'slice.started',
        'pages.total',
        'table.altered',
        'batch.committed',
        'slice.finished',
        'stream.finished',
        'run.finished',
        'report',
      ]),
    )
    expect(lines.every(({ level, pipeline }) => level === 'info' && pipeline === 'shop')).toBe(true)
    expect(lines.at(-1)?.report).toMatchObject({
      status: 'done',
      streams: {
        orders: { counts: { fetched: 5, inserted: 4, rejected: 1 } },
        lines: { counts: { fetched: 5, expanded: 5, inserted: 10 } },
      },
    })
  })

  test('prints each request too with --verbose, at level debug', async () => {
    const { stdout } = await sluice('run', 'shop', '--verbose', '--log-format', 'json')
    expect(stdout).toMatch(/^\{"level":"debug","time":"[^"]+","pipeline":"shop","type":"request\.finished",/m)
  })

  test('reads one stream by NAME.STREAM, and several by --stream', async () => {
    expect(Object.keys(report(await sluice('run', 'shop.lines', '--json')).streams)).toEqual(['lines'])
    const both = report(await sluice('run', 'shop', '--stream', 'orders', 'lines', '--json'))
    expect(Object.keys(both.streams)).toEqual(['orders', 'lines'])
  })

  test('with --full reads from the start and leaves unchanged rows as they are', async () => {
    const { orders: stream } = report(await sluice('run', 'shop.orders', '--full', '--json')).streams
    expect(stream).toMatchObject({ counts: { fetched: 5, inserted: 0, unchanged: 4, rejected: 1 } })
    expect(stream?.since).toBeUndefined()
  })

  test('with --timeout stops with exit code 1, and commits complete batches', async () => {
    // On a busy machine a second passes before the run begins.
    await using slow = await apiServer(({ query }) =>
      query.get('page') === '2' ? { hang: true } : { json: { orders: orders.slice(0, 2), pages: 3 } },
    )
    await using other = await testDatabase()
    await using here = await shopProject()
    const ended = await callSluice(['run', 'shop.orders', '--timeout', '4s', '--json'], {
      cwd: here.cwd,
      env: { SHOP_API: slow.origin, DATABASE_URL: other.url },
    })
    expect(ended).toMatchObject({ code: 1, stderr: expect.stringContaining('--timeout 4s stopped the run') })
    expect(report(ended).streams['orders']).toMatchObject({ status: 'interrupted', counts: { inserted: 2 } })
  })
})

test.each([
  [['nonsense'], "unknown command 'nonsense'"],
  [['run', '--nonsense'], "unknown option '--nonsense'"],
  [['run', '--batch-rows', '0'], 'Give a whole number, at least 1.'],
  [['run', '--overlap', 'perhaps'], 'Allowed choices are skip, wait, fail.'],
  [['run', '--limit', '5'], '--limit needs --dry-run'],
  [['run', '--timeout', 'long'], '"long" is no duration'],
  [['run', '--memory', '64 apples'], '"64 apples" is no size'],
  [['run', '--most-deletes', '1 %'], 'a number of rows, or a share of them'],
  [['run', 'shop', '--most-deletes', '5'], 'none of these has it'],
  [['run', '--dry-run', '--most-deletes', '5'], '--dry-run, which deletes nothing'],
  [['cursor', 'set', 'shop.orders'], "missing required argument 'value'"],
  [['sql'], "missing required argument 'statements'"],
])('wrong usage exits with 2 and says why: sluice %j', async (args, message) => {
  expect(await sluice(...args)).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining(message) })
})

test('--memory takes a size, and a number without a unit is megabytes', () => {
  expect(parseMemory('32MB')).toBe(33_554_432)
  expect(parseMemory('32')).toBe(33_554_432)
})

test('sluice verify compares a stream with its table, and repairs it', async () => {
  await using verified = await openShop()
  await verified.sluice('run', 'shop')
  expect(await verified.sluice('verify', 'shop.orders')).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^shop\.orders -> shop\.orders: equal\n {2}4 rows read \(ended\), 4 equal\n/),
    stderr: '',
  })
  await verified.database.database.query('delete from shop.orders where id = 1')
  await verified.database.database.query('update shop.orders set total = 7 where id = 2')
  const found = await verified.sluice('verify', 'shop.orders')
  expect(found).toMatchObject({ code: 1, stderr: '' })
  for (const line of [
    'shop.orders -> shop.orders: different',
    '1 missing: in the source, not in the table',
    '    id 1',
    '1 stale: other values in the table',
    '    id 2: total "7" -> "20"',
    '1 rejected: no row could be made of these records',
    'extra rows are not known: 1 record could not become a row, and may belong to these rows',
    'repeat the command with --repair',
  ])
    expect(found.stdout).toContain(line)
  const repaired = await verified.sluice('verify', 'shop.orders', '--repair', '--json')
  expect(repaired).toMatchObject({ code: 0, stderr: '' })
  expect(JSON.parse(repaired.stdout)).toMatchObject({
    ok: true,
    streams: [{ pipeline: 'shop', stream: 'orders', status: 'equal', repair: { missing: 1, stale: 1, left: 0 } }],
  })
  expect(await verified.sluice('verify', 'shop.nothing')).toMatchObject({ code: 2 })
})
