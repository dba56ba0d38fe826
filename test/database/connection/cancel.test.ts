import { getEventListeners } from 'node:events'
import { describe, expect, test } from '@jest/globals'
import { Database } from '../../../src/database/database.ts'
import { isTransient } from '../../../src/database/errors.ts'
import { testDatabase } from '../../support/database.ts'
import { PgProxy } from '../../support/pg-proxy.ts'

/** Waits until a backend runs a statement that matches a pattern, and returns all such backends. */
async function running(database: Database, like: string): Promise<readonly { readonly pid: number }[]> {
  for (;;) {
    const found = await database.query<{ pid: number }>(
      `select pid from pg_stat_activity where datname = current_database() and state = 'active'
         and query like $1 and pid <> pg_backend_pid()`,
      [like],
    )
    if (found.length > 0) return found
  }
}

async function isRunning(database: Database, like: string): Promise<boolean> {
  const found = await database.query(
    `select 1 from pg_stat_activity where datname = current_database() and state = 'active'
         and query like $1 and pid <> pg_backend_pid()`,
    [like],
  )
  return found.length > 0
}

const reason = new Error('enough')

describe('an aborted signal', () => {
  test('stops the statement on the server, rejects with its reason and leaks no connection', async () => {
    await using own = await testDatabase()
    await using database = new Database({ url: own.url, max: 2 })
    const controller = new AbortController()
    const query = database.query('select pg_sleep(600)', [], { signal: controller.signal })
    const work = async (): Promise<void> => {
      await using transaction = await database.transaction({ signal: controller.signal })
      await transaction.run('create table never (a int)')
      await transaction.run('select 1; select pg_sleep(601)')
    }
    const both = Promise.allSettled([query, work()])
    await Promise.all([running(own.database, '%pg_sleep(600)%'), running(own.database, '%pg_sleep(601)%')])
    controller.abort(reason)
    expect(await both).toEqual([
      { status: 'rejected', reason },
      { status: 'rejected', reason },
    ])
    expect(await isRunning(own.database, '%pg_sleep(60%')).toBe(false)
    expect(database.inUse).toBe(0)
    expect(getEventListeners(controller.signal, 'abort')).toEqual([])
    await using one = await database.transaction()
    await using two = await database.transaction()
    expect(await Promise.all([one.query('select 1 as a'), two.query(`select to_regclass('never') as b`)])).toEqual([
      [{ a: 1 }],
      [{ b: null }],
    ])
  })

  test('ends a wait for a lock', async () => {
    await using own = await testDatabase()
    await using holder = await own.database.transaction()
    await holder.lock('it')
    const controller = new AbortController()
    await using waiter = await own.database.transaction({ signal: controller.signal })
    const waiting = waiter.lock('it')
    waiting.catch(() => {})
    await running(own.database, '%pg_advisory_xact_lock%')
    controller.abort(reason)
    await expect(waiting).rejects.toBe(reason)
    expect(await isRunning(own.database, '%pg_advisory_xact_lock%')).toBe(false)
  })

  test('releases the locks of its transaction before the block ends', async () => {
    await using own = await testDatabase()
    const controller = new AbortController()
    const work = async (): Promise<void> => {
      await using transaction = await own.database.transaction({ signal: controller.signal })
      await transaction.run(`select pg_advisory_xact_lock(7); select pg_sleep(600)`)
    }
    const working = work()
    working.catch(() => {})
    await running(own.database, '%pg_sleep(600)%')
    controller.abort(reason)
    await expect(working).rejects.toBe(reason)
    expect(await own.database.query('select pg_try_advisory_xact_lock(7) as free')).toEqual([{ free: true }])
  })

  test('ends a COPY whose data does not arrive', async () => {
    await using own = await testDatabase()
    await own.database.query('create table t (a int)')
    const controller = new AbortController()
    const { promise: stuck } = Promise.withResolvers<never>()
    async function* chunks(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('1\n')
      controller.abort(reason)
      yield stuck
    }
    {
      await using transaction = await own.database.transaction({ signal: controller.signal })
      await expect(transaction.copy('copy t from stdin', chunks())).rejects.toBe(reason)
    }
    expect(await own.database.query('select * from t')).toEqual([])
    expect(await isRunning(own.database, 'begin%copy t%')).toBe(false)
  })

  test('ends a COPY that waits for a lock before it starts', async () => {
    await using own = await testDatabase()
    await own.database.query('create table t (a int)')
    await using holder = await own.database.transaction()
    await holder.run('lock table t')
    const controller = new AbortController()
    await using transaction = await own.database.transaction({ signal: controller.signal })
    const copying = transaction.copy('copy t from stdin', [Buffer.from('1\n')])
    copying.catch(() => {})
    await running(own.database, '%copy t%')
    controller.abort(reason)
    await expect(copying).rejects.toBe(reason)
  })

  test('sends CopyFail instead of waiting until the server notices', async () => {
    await using own = await testDatabase()
    await own.database.query('create table t (a int)')
    const { promise: failed, resolve } = Promise.withResolvers<string>()
    const controller = new AbortController()
    await using proxy = await PgProxy.open({
      port: Number(new URL(own.url).port),
      watchers: [{ before: ({ name }) => (name === 'CopyFail' ? resolve(name) : undefined) }],
    })
    await using database = new Database({ url: proxy.through(own.url) })
    async function* chunks(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('1\n')
      controller.abort(reason)
      yield new Promise<never>(() => {})
    }
    await using transaction = await database.transaction({ signal: controller.signal })
    await expect(transaction.copy('copy t from stdin', chunks())).rejects.toBe(reason)
    expect(await Promise.race([failed, Promise.resolve('nothing')])).toBe('CopyFail')
  })

  test('closes the connection, because the cancel may arrive late', async () => {
    await using own = await testDatabase()
    await using database = new Database({ url: own.url, max: 1 })
    const [before] = await database.query<{ pid: number }>('select pg_backend_pid() as pid')
    const controller = new AbortController()
    const query = database.query('select pg_sleep(600)', [], { signal: controller.signal })
    query.catch(() => {})
    await running(own.database, '%pg_sleep(600)%')
    controller.abort(reason)
    await expect(query).rejects.toBe(reason)
    const [after] = await database.query<{ pid: number }>('select pg_backend_pid() as pid')
    expect(after?.pid).not.toBe(before?.pid)
  })

  test('ends a wait for a free connection, which then goes to the next caller', async () => {
    await using own = await testDatabase({ max: 1 })
    const controller = new AbortController()
    const holder = await own.database.transaction()
    const waiting = own.database.transaction({ signal: controller.signal })
    waiting.catch(() => {})
    const next = own.database.query('select 1 as one')
    controller.abort(reason)
    await expect(waiting).rejects.toBe(reason)
    await holder[Symbol.asyncDispose]()
    expect(await next).toEqual([{ one: 1 }])
    expect(own.database.inUse).toBe(0)
  })

  test('before the call prevents the statement', async () => {
    await using own = await testDatabase()
    await expect(own.database.query('create table t (a int)', [], { signal: AbortSignal.abort(reason) })).rejects.toBe(
      reason,
    )
    await expect(own.database.transaction({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    expect(await own.database.query(`select to_regclass('t') as t`)).toEqual([{ t: null }])
  })

  test('closes the connection if the server does not respond', async () => {
    await using own = await testDatabase()
    await using proxy = await PgProxy.open({ port: Number(new URL(own.url).port) })
    await using database = new Database({ url: proxy.through(own.url) })
    const controller = new AbortController()
    const query = database.query('select pg_sleep(600)', [], { signal: controller.signal })
    query.catch(() => {})
    await running(own.database, '%pg_sleep(600)%')
    proxy.freeze()
    controller.abort(reason)
    await expect(query).rejects.toBe(reason)
    expect(database.inUse).toBe(0)
  }, 10_000)
})

describe('a time limit', () => {
  test('stops the statement on the server, and is named in the error', async () => {
    await using own = await testDatabase()
    const error = await own.database
      .query('select pg_sleep(600)', [], { timeout: '50ms' })
      .catch((thrown: unknown) => thrown)
    expect(String(error)).toMatch(/Database test_\w+ at 127.0.0.1:\d+: a statement took longer than 50ms/)
    expect(isTransient(error)).toBe(true)
    expect(await isRunning(own.database, '%pg_sleep(600)%')).toBe(false)
    expect(own.database.inUse).toBe(0)
  })

  test('of a transaction is enforced by the server', async () => {
    await using own = await testDatabase()
    await using transaction = await own.database.transaction({ statementTimeout: '50ms' })
    await expect(transaction.run('select pg_sleep(600)')).rejects.toMatchObject({ code: '57014' })
  })
})

test('a statement without a response does not delay closing the database', async () => {
  await using own = await testDatabase()
  const database = new Database({ url: own.url })
  const query = database.query('select pg_sleep(600)')
  query.catch(() => {})
  await running(own.database, '%pg_sleep(600)%')
  await database[Symbol.asyncDispose]()
  await expect(query).rejects.toThrow('the connection was lost')
})
