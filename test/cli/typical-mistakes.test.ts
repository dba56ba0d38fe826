// What a new user gets wrong. Each message has the place, the cause and the remedy.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { apiServer, type ApiHandler } from '../support/api-server.ts'
import { testDatabase, type TestDatabase } from '../support/database.ts'
import { callSluice } from './support/call.ts'
import { project } from './support/command.ts'

const IMPORT = "import { byCursor, http, onePage, pipeline } from 'SLUICE'\n"

describe('an error of a pipeline file shows the line', () => {
  /** A file, and what `sluice list` prints about it. */
  const WRONG: Readonly<Record<string, { readonly file: string; readonly error: RegExp; readonly excerpt: string }>> = {
    'pipelines/option.ts': {
      file: `${IMPORT}export default http('https://api.example', {\n  rate: '10/s',\n  timeuot: '5s',\n})\n`,
      error:
        /option\.ts:4:3: http\("https:\/\/api\.example"\): there is no option "timeuot"\. Did you mean "timeout"\? It/,
      excerpt: "  3 |   rate: '10/s',\n  4 |   timeuot: '5s',\n    |   ^",
    },
    'pipelines/syntax.ts': {
      file: "const a: string = 'x'\nexport default a(\n",
      error: /syntax\.ts:2 could not be loaded: SyntaxError: Expression expected\. Correct it; --verbose shows/,
      excerpt: "  1 | const a: string = 'x'\n  2 | export default a(\n",
    },
    'pipelines/plain.mjs': {
      file: "const a = 'x' 'y'\n",
      error: /plain\.mjs:1:15 could not be loaded: SyntaxError: /,
      excerpt: "  1 | const a = 'x' 'y'\n    |               ^",
    },
    'pipelines/missing.ts': {
      file: "import { x } from '../lib/helper'\nexport default x\n",
      error: /missing\.ts:1:19 .*: there is no file lib\/helper\. An import names the .* Did you mean helper\.ts\?/,
      excerpt: "  1 | import { x } from '../lib/helper'\n    |                   ^",
    },
    'pipelines/package.ts': {
      file: "import { z } from 'zodd'\nexport default z\n",
      error: /package\.ts:1:19 .*: the package zodd is not installed\. Install it: npm install zodd/,
      excerpt: "  1 | import { z } from 'zodd'\n    |                   ^",
    },
    'pipelines/export.ts': {
      file: "import { htpp } from 'sluice'\nexport default htpp\n",
      error: /export\.ts:1:10 .* does not provide an export named 'htpp'\. Did you mean http\?/,
      excerpt: "  1 | import { htpp } from 'sluice'\n    |          ^",
    },
    'pipelines/enum.ts': {
      file: 'enum A { x }\nexport default A\n',
      error: /enum\.ts:1:1 .*enum is not supported.* such as an object for an enum/,
      excerpt: '  1 | enum A { x }\n    | ^',
    },
    'lib/shared.ts': {
      file: "\nimport { http } from 'sluice'\n\nexport const orders = http('https://api.example').get('orders')\n",
      error: /lib\/shared\.ts:4:51: https:\/\/api\.example: the path "orders" must begin with a slash/,
      excerpt: "  4 | export const orders = http('https://api.example').get('orders')\n    |" + ' '.repeat(51) + '^',
    },
  }

  test('with its number, its column and a mark below it', async () => {
    const files = Object.fromEntries(Object.entries(WRONG).map(([name, { file }]) => [name, file]))
    await using here = await project({
      ...files,
      'pipelines/helped.ts': "import { orders } from '../lib/shared.ts'\nexport default orders\n",
      'lib/helper.ts': 'export const x: number = 1\n',
    })
    const { code, stderr } = await here.sluice(['list'])
    expect(code).toBe(2)
    for (const { error, excerpt } of Object.values(WRONG)) {
      expect(stderr).toMatch(error)
      expect(stderr).toContain(`\n\n${excerpt}`)
    }
  }, 30_000)

  test('also where a function of the file makes a wrong request during a run', async () => {
    await using api = await apiServer(() => ({ json: [{ id: 1 }] }))
    await using here = await project({
      'pipelines/p.ts':
        `${IMPORT}const api = http(process.env.API)\n` +
        "const rows = api.get('/a').pages(onePage()).records().flatMap((one) =>\n" +
        "  api.get('b/' + one.id).pages(onePage()).records())\n" +
        "export default pipeline('p', { streams: { rows: rows.into('t.rows', { key: 'id' }) } })\n",
    })
    const { code, stderr } = await callSluice(['run', 'p', '--dry-run'], { cwd: here.cwd, env: { API: api.origin } })
    expect(code).toBe(2)
    expect(stderr).toContain(`pipelines/p.ts:4:7: ${api.origin}: the path "b/1" must begin with a slash`)
  })
})

/** A list of two pages, of 2 records each. The API wants a token, and knows its parameters and paths. */
const shop: ApiHandler = ({ path, query, headers }) => {
  if (headers['authorization'] !== 'Bearer right-token')
    return { status: 401, json: { error: { message: 'The token wrong-token has expired' } } }
  if (path !== '/v1/orders') return { status: 404, json: { message: 'No such resource' } }
  const page = Number(query.get('cursor') ?? 1)
  const data = [2 * page - 1, 2 * page].map((id) => ({ id, updatedAt: `2024-01-0${id}T00:00:00Z`, total: 'twelve' }))
  return { json: { data, meta: { next: page === 1 ? '2' : null } } }
}

describe('a typical mistake gets its place, its cause and its remedy:', () => {
  const RIGHT = {
    base: 'process.env.API',
    path: '/v1/orders',
    paging: "byCursor('cursor', 'meta.next')",
    records: "'data'",
    incremental: '',
    table: 'shop.orders',
    options: "{ key: 'id' }",
  }
  const file = (wrong: Partial<typeof RIGHT>): string => {
    const { base, path, paging, records, incremental, table, options } = { ...RIGHT, ...wrong }
    return (
      "import { baseUrl, bearer, byCursor, http, pipeline, secret } from 'SLUICE'\n" +
      `const api = http(${base}, { auth: bearer(secret('SHOP_TOKEN')), attempts: 1, timeout: '2s' })\n` +
      `const orders = api.get('${path}').pages(${paging}).records(${records})${incremental}\n` +
      `export default pipeline('shop', { streams: { orders: orders.into('${table}', ${options}) } })\n`
    )
  }
  let database: TestDatabase
  beforeAll(async () => {
    database = await testDatabase()
    await database.database.query('create schema shop')
    await database.database.query('create schema other')
    await database.database.query('create table other.orders (id bigint primary key, total numeric)')
  })
  afterAll(async () => database[Symbol.asyncDispose]())

  test.each<[string, Partial<typeof RIGHT>, Readonly<Record<string, string>>, RegExp]>([
    [
      'a wrong path',
      { path: '/v1/order' },
      {},
      /GET \/v1\/order answered 404\. The API says: "No such resource"; check the path, .* \[HTTP_NOT_FOUND\]/,
    ],
    [
      'a wrong list',
      { records: "'dta'" },
      {},
      /'dta': the body has no 'dta', only data, meta\. Did you mean 'data'\? .* \[NO_RECORDS\]/,
    ],
    [
      'a wrong key',
      { options: "{ key: 'ids' }" },
      {},
      /ids: it belongs to the key, and the record has no such field \(it has id, .*\)\. Did you mean id\?/,
    ],
    [
      'a wrong key of a table that exists',
      { table: 'other.orders', options: "{ key: 'uid' }" },
      {},
      /no column uid, .*: the table is unique by \(id\)\. .* the records have id, .*\. Did you mean id\? \[TABLE_KEY\]/,
    ],
    [
      'a wrong field of the cursor',
      { incremental: ".incremental('updated_at')", options: "{ key: 'id', complete: 'required' }" },
      {},
      /"updated_at" and "updatedAt" would both be .* have only one of them, correct the name in \.incremental/,
    ],
    [
      'a wrong secret',
      {},
      { SHOP_TOKEN: 'wrong-token' },
      /answered 401: .*; check SHOP_TOKEN\. The API says: "The token \{secret:SHOP_TOKEN\} has expired" \[HTTP_CRED/,
    ],
    [
      'no secret',
      {},
      { SHOP_TOKEN: '' },
      /shop\.orders: secret SHOP_TOKEN is empty: .* set SHOP_TOKEN .* \[MISSING_SECRET\]/,
    ],
    [
      'a wrong base URL',
      { base: "'http://127.0.0.1:1'" },
      {},
      /GET \/v1\/orders got no complete .*ECONNREFUSED.*; check the base URL of the API, .* \[HTTP_UNAVAILABLE\]/,
    ],
    [
      'a wrong base URL in a variable',
      { base: "baseUrl('SHOP_API', 'https://shop.example')" },
      { SHOP_API: 'http://localhost:1' },
      /ECONNREFUSED.*; check the base URL of the API \(the variable SHOP_API may set it\), and .* \[HTTP_UNAVAILABLE\]/,
    ],
    [
      'a misspelled parameter',
      { paging: "byCursor('curser', 'meta.next')" },
      {},
      /GET \/v1\/orders: .*a page that was read before\. .*Compare the parameter that the paginator sends.* \[PAGING\]/,
    ],
    [
      'the two arguments of a paginator the other way round',
      { paging: "byCursor('meta.next', 'cursor')", options: "{ key: 'id', complete: 'required' }" },
      {},
      /The parameter comes first, .*: write byCursor\('cursor', 'meta\.next'\)/,
    ],
    [
      'a wrong type',
      { options: "{ key: 'id', columns: { total: 'intger' } }" },
      {},
      /declares intger.*, which is not a type of this database\. Did you mean integer\? Correct it in columns/,
    ],
    [
      'a table that exists with other types',
      { table: 'other.orders', options: "{ key: 'id', maxRejects: 0 }" },
      {},
      /other\.orders.* \[(?:TABLE_NOT_OWNED|SCHEMA|TOO_MANY_REJECTS)\]/,
    ],
    [
      'a database that is down',
      {},
      { DATABASE_URL: 'postgres://sluice@127.0.0.1:1/shop?connect_timeout=1' },
      /no server listens there .*; start PostgreSQL there, or correct DATABASE_URL \[DATABASE_DOWN\]/,
    ],
  ])('%s', async (_, wrong, env, message) => {
    await using api = await apiServer(shop)
    await using here = await project({ 'pipelines/shop.ts': file(wrong) })
    const { code, stdout, stderr } = await callSluice(['run', 'shop'], {
      cwd: here.cwd,
      env: { API: api.origin, SHOP_TOKEN: 'right-token', DATABASE_URL: database.url, ...env },
    })
    expect({ code, output: stdout + stderr }).toEqual({
      code: expect.any(Number),
      output: expect.stringMatching(message),
    })
    expect(stdout + stderr).not.toContain('wrong-token')
  })

  test('a missing right in the database', async () => {
    const url = new URL(database.url)
    const role = `${url.pathname.slice(1)}_guest`
    await database.database.query(`create role ${role} login password 'guest-of-shop'`)
    try {
      Object.assign(url, { username: role, password: 'guest-of-shop' })
      await using api = await apiServer(shop)
      await using here = await project({ 'pipelines/shop.ts': file({}) })
      const { code, stderr } = await callSluice(['run', 'shop'], {
        cwd: here.cwd,
        env: { API: api.origin, SHOP_TOKEN: 'right-token', DATABASE_URL: url.href },
      })
      expect({ code, stderr }).toEqual({
        code: 1,
        stderr: expect.stringMatching(/permission denied .+ \[DATABASE_RIGHTS\]/),
      })
    } finally {
      await database.database.query(`drop role ${role}`)
    }
  })

  test('without the right to create or use schema sluice, all commands give the same command', async () => {
    await using own = await testDatabase()
    const url = new URL(own.url)
    const role = `${url.pathname.slice(1)}_guest`
    await own.database.query(`drop schema sluice cascade; create role ${role} login password 'guest-of-shop'`)
    try {
      Object.assign(url, { username: role, password: 'guest-of-shop' })
      await using api = await apiServer(shop)
      await using here = await project({
        'pipelines/shop.ts': file({}).replace('{ streams', "{ schedule: '0 0 1 1 *', streams"),
      })
      const env = { API: api.origin, SHOP_TOKEN: 'right-token', DATABASE_URL: url.href }
      const command = `sluice migrate --grant ${role} --apply --schema shop`
      const refused = new RegExp(
        `schema sluice does not exist, and the user ${role} may not .+ run: ${command} \\[DATABASE_RIGHTS\\]`,
      )
      const call = async (word: string, more = {}) => {
        const { code, stdout, stderr } = await callSluice([word, 'shop'], { cwd: here.cwd, env: { ...env, ...more } })
        return { code, output: stdout + stderr }
      }
      for (const word of ['run', 'check'])
        expect(await call(word)).toEqual({ code: 1, output: expect.stringMatching(refused) })
      await own.database.query(`create schema sluice; create schema shop`)
      for (const word of ['run', 'check'])
        expect((await call(word)).output).toMatch(/lacks a right in the schema sluice .+ \[DATABASE_RIGHTS\]/)
      for (const word of ['status', 'schedule', 'serve'])
        expect((await call(word)).output).toMatch(
          new RegExp(`${role} lacks a right in the schema sluice .+ run: ${command} \\[DATABASE_RIGHTS\\]`),
        )
      await own.database.query(`grant usage on schema sluice to ${role}`)
      expect((await call('run')).output).toMatch(
        new RegExp(`lacks a right in the schema sluice \\(CREATE: permission denied .+\\)\\. Let .+ run: ${command} `),
      )
      // A schema of its own, empty, needs no right to create schemas.
      await own.database.query(`alter schema sluice owner to ${role}; alter schema shop owner to ${role}`)
      expect(await call('check')).toEqual({ code: 0, output: expect.stringContaining('the first run creates it') })
      expect(await call('run')).toEqual({ code: 0, output: expect.stringContaining('done') })
    } finally {
      await own.database.query(`drop owned by ${role} cascade; drop role ${role}`)
    }
  })
})
