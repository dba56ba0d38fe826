import { describe, expect, test } from '@jest/globals'
import { Database } from '../../src/database/database.ts'
import { isTransient, sqlState } from '../../src/database/errors.ts'
import { DatabaseError } from '../../src/model/errors.ts'
import { testDatabase } from '../support/database.ts'
import { PgProxy, type Message } from '../support/pg-proxy.ts'

const backend = 'select pg_backend_pid() as pid'

describe('a transaction', () => {
  test('rolls back unless it was committed', async () => {
    await using own = await testDatabase()
    await own.database.query('create table t (a int)')
    {
      await using transaction = await own.database.transaction()
      await transaction.run('insert into t values (1)')
    }
    expect(await own.database.query('select * from t')).toEqual([])
    {
      await using transaction = await own.database.transaction()
      await transaction.run('insert into t values (2)')
      await transaction.commit()
    }
    expect(await own.database.query('select * from t')).toEqual([{ a: 2 }])
    expect(own.database.inUse).toBe(0)
  })

  test('rolls back when its block throws, and releases its connection', async () => {
    await using own = await testDatabase({ max: 1 })
    await own.database.query('create table t (a int)')
    const [before] = await own.database.query(backend)
    const work = async (): Promise<void> => {
      await using transaction = await own.database.transaction()
      await transaction.run('insert into t values (1)')
      throw new Error('first')
    }
    await expect(work()).rejects.toThrow('first')
    expect(await own.database.query('select * from t')).toEqual([])
    expect(await own.database.query(backend)).toEqual([before])
  })

  test('a failed rollback destroys the connection and keeps the first error', async () => {
    await using own = await testDatabase({ max: 2 })
    const first = new Error('first')
    let killed: unknown
    const work = async (): Promise<void> => {
      await using transaction = await own.database.transaction()
      const [row] = await transaction.query<{ pid: number }>(backend)
      killed = row?.pid
      await own.database.query('select pg_terminate_backend($1, 5000)', [killed])
      throw first
    }
    await expect(work()).rejects.toBe(first)
    expect(own.database.inUse).toBe(0)
    await using again = await own.database.transaction()
    expect((await again.query<{ pid: number }>(backend))[0]?.pid).not.toBe(killed)
  })

  test('opens with its first statement and commits with its last, in two queries', async () => {
    const queries: string[] = []
    const before = ({ from, name, text }: Message): void => {
      if (from === 'client' && (name === 'Query' || name === 'Parse')) queries.push(text ?? '')
    }
    await using own = await testDatabase()
    await using proxy = await PgProxy.open({ port: Number(new URL(own.url).port), watchers: [{ before }] })
    await using database = new Database({ url: proxy.through(own.url) })
    await using transaction = await database.transaction()
    expect(queries).toEqual([])
    await transaction.run('create table t (a int); insert into t values (1)')
    const [inserted, selected] = await transaction.commit(
      'insert into t values (2), (3); select count(*)::int as n from t',
    )
    expect([inserted?.count, selected?.rows]).toEqual([2, [{ n: 3 }]])
    expect(queries).toHaveLength(2)
    expect(queries[0]).toMatch(
      new RegExp(
        '^begin; set local statement_timeout = 300000; set local lock_timeout = 30000; ' +
          `set local timezone = 'UTC';\ncreate table`,
      ),
    )
    expect(queries[1]).toMatch(/;commit$/)
  })

  test('returns the results of the statements given, without those of its opening', async () => {
    await using own = await testDatabase()
    await using transaction = await own.database.transaction()
    expect((await transaction.run('select 1 as a; select 2 as b')).map(({ rows }) => rows)).toEqual([
      [{ a: 1 }],
      [{ b: 2 }],
    ])
    expect((await transaction.run('select 3 as c')).map(({ rows }) => rows)).toEqual([[{ c: 3 }]])
    expect(await transaction.query('select $1::int + 1 as d', [3])).toEqual([{ d: 4 }])
  })

  test('opens before a first statement with values', async () => {
    await using own = await testDatabase()
    await own.database.query('create table t (a int)')
    {
      await using transaction = await own.database.transaction()
      await transaction.query('insert into t values ($1)', [1])
    }
    expect(await own.database.query('select * from t')).toEqual([])
  })

  test('sets its limits and zone for itself only', async () => {
    await using own = await testDatabase({ max: 1 })
    const settings = `
      select current_setting('statement_timeout') as statement, current_setting('lock_timeout') as lock,
        current_setting('timezone') as zone`
    await own.database.query(`alter database "${new URL(own.url).pathname.slice(1)}" set timezone = 'Asia/Tokyo'`)
    await using database = new Database({ url: own.url, max: 1 })
    const outside = await database.query(settings)
    {
      await using transaction = await database.transaction({ statementTimeout: '90s', lockTimeout: '2s' })
      expect(await transaction.query(settings)).toEqual([{ statement: '90s', lock: '2s', zone: 'UTC' }])
      await transaction.commit()
    }
    expect(outside).toEqual([{ statement: '0', lock: '0', zone: 'Asia/Tokyo' }])
    expect(await database.query(settings)).toEqual(outside)
  })

  test('throws at commit if a statement in it has failed', async () => {
    await using own = await testDatabase()
    await own.database.query('create table t (a int)')
    await using transaction = await own.database.transaction()
    await transaction.run('insert into t values (1)')
    await expect(transaction.run('select 1 / 0')).rejects.toMatchObject({ code: '22012' })
    const commit = transaction.commit()
    await expect(commit).rejects.toThrow(DatabaseError)
    await expect(commit).rejects.toThrow('rolled back instead of committed')
    expect(await own.database.query('select * from t')).toEqual([])
  })

  test('is rolled back if its last statement fails', async () => {
    await using own = await testDatabase()
    await own.database.query('create table t (a int)')
    {
      await using transaction = await own.database.transaction()
      await transaction.run('insert into t values (1)')
      await expect(transaction.commit('select 1 / 0')).rejects.toMatchObject({ code: '22012' })
    }
    expect(await own.database.query('select * from t')).toEqual([])
    expect(own.database.inUse).toBe(0)
  })

  test('without a statement sends and holds nothing', async () => {
    await using own = await testDatabase()
    const transaction = await own.database.transaction()
    expect(await transaction.commit()).toEqual([])
    expect(own.database.inUse).toBe(0)
    await expect(transaction.run('select 1')).rejects.toThrow('the transaction has ended')
  })

  test('runs concurrent statements one after another', async () => {
    await using own = await testDatabase()
    await using transaction = await own.database.transaction()
    await transaction.run('create temporary table t (n serial, a int) on commit drop')
    await Promise.all([1, 2, 3, 4].map((a) => transaction.query('insert into t (a) values ($1)', [a])))
    expect(await transaction.query('select array_agg(a order by n) as a from t')).toEqual([{ a: [1, 2, 3, 4] }])
  })

  test('rolls a savepoint back unless it was released', async () => {
    await using own = await testDatabase()
    await using transaction = await own.database.transaction()
    await transaction.run('create temporary table t (a int) on commit drop')
    {
      await using savepoint = await transaction.savepoint()
      await transaction.run('insert into t values (1)')
      await savepoint.release()
    }
    {
      await using _ = await transaction.savepoint()
      await transaction.run('insert into t values (2)')
      await expect(transaction.run('select 1 / 0')).rejects.toMatchObject({ code: '22012' })
    }
    expect(await transaction.query('select a from t')).toEqual([{ a: 1 }])
  })

  test('keeps the first error if a savepoint cannot be rolled back', async () => {
    await using own = await testDatabase()
    const work = async (): Promise<void> => {
      await using transaction = await own.database.transaction()
      await using _ = await transaction.savepoint()
      await transaction.run('select pg_terminate_backend(pg_backend_pid())')
    }
    const error = await work().catch((thrown: unknown) => thrown)
    expect(error).not.toBeInstanceOf(SuppressedError)
    expect(isTransient(error)).toBe(true)
    expect(own.database.inUse).toBe(0)
  })

  test('holds a lock against transactions that lock the same name only', async () => {
    await using own = await testDatabase()
    await using holder = await own.database.transaction()
    await holder.lock(`it's "mine"`)
    await using other = await own.database.transaction({ lockTimeout: '50ms' })
    await other.lock('another')
    const refused = await other.lock(`it's "mine"`).catch((thrown: unknown) => thrown)
    expect(sqlState(refused)).toBe('55P03')
    await holder.commit()
    await using next = await own.database.transaction({ lockTimeout: '50ms' })
    await next.lock(`it's "mine"`)
  })

  test('for reading sees one snapshot and cannot write', async () => {
    await using own = await testDatabase()
    await own.database.query('create table t (a int)')
    await using reading = await own.database.transaction({ readOnly: true })
    expect(await reading.query('select * from t')).toEqual([])
    await own.database.query('insert into t values (1)')
    expect(await reading.query('select * from t')).toEqual([])
    await expect(reading.run('insert into t values (2)')).rejects.toThrow(/it is read-only; set DATABASE_URL/)
  })

  test('for writing is refused by a read-only database', async () => {
    await using own = await testDatabase()
    await own.database.query(
      `alter database "${new URL(own.url).pathname.slice(1)}" set default_transaction_read_only = on`,
    )
    await using database = new Database({ url: own.url })
    await expect(database.transaction()).rejects.toThrow(
      /Database test_\w+ at 127.0.0.1:\d+: it is read-only.*set DATABASE_URL/,
    )
    await using reading = await database.transaction({ readOnly: true })
    expect(await reading.query('select 1 as one')).toEqual([{ one: 1 }])
    expect(database.inUse).toBe(1)
  })
})
