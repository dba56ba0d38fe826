import { expect, test } from '@jest/globals'
import { http, onePage, pipeline, run } from '../../src/index.ts'
import { openDatabase } from '../../src/database/database.ts'
import { grantStatements } from '../../src/ledger/grants.ts'
import { apiServer } from '../support/api-server.ts'
import { administer, testDatabase } from '../support/database.ts'

/** A role that may log in and nothing else. */
async function plainRole(): Promise<{ readonly role: string } & AsyncDisposable> {
  const role = `etl ${process.pid}`
  await administer(`create role "${role}" login password 'secret'`)
  return { role, [Symbol.asyncDispose]: () => administer(`drop role "${role}"`) }
}

test('a role that may not create schemas runs all write modes with exactly these grants', async () => {
  await using api = await apiServer(() => ({ json: [{ id: 1, name: 'one' }] }))
  const items = http(api.origin as 'http://x')
    .get<{ id: number; name: string }[]>('/items')
    .pages(onePage())
    .records()
  const flow = pipeline('shop', {
    streams: {
      merged: items.into('shop.merged', { key: 'id' }),
      appended: items.into('shop.appended', { write: 'append' }),
      replaced: items.into('shop.replaced', { key: 'id', write: 'replace' }),
    },
  })
  await using made = await plainRole()
  await using test = await testDatabase()
  const { role } = made
  const url = Object.assign(new URL(test.url), { username: role, password: 'secret' }).href
  const { name } = await test.database.one<{ name: string }>('select current_database() as name')
  await test.database.query(`revoke all on database "${name}" from public`)
  await test.database.query('revoke execute on all functions in schema sluice from public')
  await expect(run(flow, { database: url })).rejects.toThrow(/permission denied|CONNECT/i)

  await test.database.query(grantStatements({ user: role, database: name, schemas: ['shop'] }).join(';\n'))
  for (let times = 0; times < 2; times += 1)
    expect(await run(flow, { database: url })).toMatchObject({ status: 'done' })
  expect(
    await test.database.query(
      `select (select count(*)::int from shop.merged) as merged, (select count(*)::int from shop.appended) as appended,
              (select count(*)::int from shop.replaced) as replaced`,
    ),
  ).toEqual([{ merged: 1, appended: 2, replaced: 1 }])

  await using asRole = await openDatabase({ url })
  await expect(asRole.query('create schema other')).rejects.toThrow(/permission denied/)
})

test('a role that may not create a table is told the right, the schema, the role and the grant', async () => {
  await using api = await apiServer(() => ({ json: [{ id: 1 }] }))
  const items = http(api.origin).get<{ id: number }[]>('/items').pages(onePage()).records()
  const flow = pipeline('shop', { streams: { items: items.into('shop.items', { key: 'id' }) } })
  await using made = await plainRole()
  await using test = await testDatabase()
  const { role } = made
  const { name } = await test.database.one<{ name: string }>('select current_database() as name')
  await test.database.query(grantStatements({ user: role, database: name, schemas: [] }).join(';\n'))
  const url = Object.assign(new URL(test.url), { username: role, password: 'secret' }).href
  const error = async (): Promise<string | undefined> =>
    (await run(flow, { database: url, throwOnFailure: false })).streams.items.error
  const grant = `grant usage, create on schema "shop" to "${role}"`
  const rest = `For all that pipelines need: sluice migrate --grant '${role}' --apply --schema shop [DATABASE_RIGHTS]`
  expect(await error()).toBe(
    `shop.items: the schema shop does not exist, and the user ${role} lacks the right CREATE on the database ` +
      `${name}. Let an administrator run: create schema "shop"; ${grant}. ${rest}`,
  )
  await test.database.query('create schema shop')
  expect(await error()).toBe(
    `shop.items: the table does not exist, and the user ${role} lacks the rights USAGE and CREATE on the schema ` +
      `shop. Let an administrator run: ${grant}. ${rest}`,
  )
  await test.database.query(grant)
  expect(await error()).toBe(undefined)
})
