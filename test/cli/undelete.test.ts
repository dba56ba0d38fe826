import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { testDatabase } from '../support/database.ts'
import { callSluice } from './support/call.ts'
import { project } from './support/command.ts'

const pipeline = `
import { readFile } from 'node:fs/promises'
import { pipeline, source } from 'SLUICE'

const items = source(async function* () {
  yield { records: JSON.parse(await readFile('list.json', 'utf8')) }
})
export default pipeline('shop', {
  streams: { items: items.into('shop.items', { key: 'id', mirror: true, children: { lines: { key: 'line' } } }) },
})
`

/** Records with one line each, whose text is that of the record. */
const items = (from: number, to: number, text = 'first') =>
  Array.from({ length: to - from }, (_, index) => ({ id: from + index, text, lines: [{ line: 1, text }] }))

test('a mirror is allowed once to delete more, and undelete puts rows back with their lists', async () => {
  await using here = await project({ 'pipelines/shop.ts': pipeline })
  await using target = await testDatabase()
  const sluice = (...words: string[]) => callSluice(words, { cwd: here.cwd, env: { DATABASE_URL: target.url } })
  const list = (records: readonly unknown[]) => writeFile(join(here.cwd, 'list.json'), JSON.stringify(records))
  const count = async (table: string) => (await target.database.query(`select from shop.${table}`)).length

  await list(items(1, 41))
  await sluice('run', 'shop', '--quiet')
  await list(items(13, 41))
  const refused = await sluice('run', 'shop', '--quiet')
  expect(refused.code).toBe(1)
  const [, remedy = ''] =
    /run once: sluice (.*?)\. /.exec((await sluice('status')).stdout.replaceAll(/\s+/g, ' ')) ?? []
  expect(remedy).toBe('run shop.items --most-deletes 12')
  const allowed = await sluice(...remedy.split(' '))
  expect(allowed).toMatchObject({ code: 0, stderr: '' })
  expect(allowed.stdout).toContain('mirror: 12 rows that this reading did not bring were deleted in shop.items')
  expect([await count('items'), await count('items_lines')]).toEqual([28, 28])

  const dry = await sluice('undelete', 'shop.items', '--since', '2h', '--dry-run')
  expect(dry).toEqual({
    code: 0,
    stderr: '',
    stdout: 'shop.items: 12 rows would be put back\nshop.items_lines: 12 rows would be put back\n',
  })
  expect(await count('items')).toBe(28)
  // Two come back by themselves, with other lists. What was deleted must not be mixed with that.
  await list([...items(1, 3, 'again'), ...items(13, 41)])
  await sluice('run', 'shop', '--quiet')
  expect((await sluice('undelete', 'shop', '--run', '4')).stdout).toContain('no deleted rows are kept')
  const { rows } = await target.database.one<{ rows: string }>('select max(id) as rows from sluice.runs')
  expect(rows).toBe('4')
  const back = await sluice('undelete', 'shop', '--run', '3')
  expect(back).toEqual({
    code: 0,
    stderr: '',
    stdout:
      'shop.items: 10 rows were put back\n' +
      'shop.items: 2 rows exist again and stay as they are, such as [1], [2]\n' +
      'shop.items_lines: 10 rows were put back\n',
  })
  expect([await count('items'), await count('items_lines')]).toEqual([40, 40])
  expect(
    await target.database.query(
      `select count(*)::int as again from shop.items_lines where items_id < 3 and text = 'again'`,
    ),
  ).toEqual([{ again: 2 }])
})

test('undelete knows the columns of today, tells what the database refuses, and what it cannot mean', async () => {
  await using here = await project({ 'pipelines/shop.ts': pipeline })
  await using target = await testDatabase()
  const sluice = (...words: string[]) => callSluice(words, { cwd: here.cwd, env: { DATABASE_URL: target.url } })
  const list = (records: readonly unknown[]) => writeFile(join(here.cwd, 'list.json'), JSON.stringify(records))
  await list(items(1, 11))
  await sluice('run', 'shop', '--quiet')
  await target.database.query(`
    alter table shop.items add column half numeric generated always as (id / 2.0) stored`)
  await list(items(5, 11))
  await sluice('run', 'shop', '--quiet', '--most-deletes', '50%')
  await target.database.query(`
    alter table shop.items drop column text, add column more text not null default 'new',
      add constraint odd check (id <> 2)`)
  const { code, stdout } = await sluice('undelete', 'shop.items')
  expect(code).toBe(1)
  expect(stdout).toContain('shop.items: 3 rows were put back\n')
  expect(stdout).toContain('shop.items: the database refuses 1 row, such as [2]: new row for relation "items" violates')
  expect(await target.database.query('select id::int, more, half::text from shop.items where id < 4')).toEqual([
    { id: 1, more: 'new', half: '0.50000000000000000000' },
    { id: 3, more: 'new', half: '1.5000000000000000' },
  ])
  // What was refused is kept.
  expect(await target.database.query('select key from sluice.deleted_rows where parent_key is null')).toEqual([
    { key: '[2]' },
  ])
  expect(await sluice('undelete', 'shop.items', '--since', 'monday')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('--since monday is neither how long ago, as in 2h or 3d, nor a moment'),
  })
  expect(await sluice('undelete', 'shop.nothing')).toMatchObject({ code: 2 })
})
