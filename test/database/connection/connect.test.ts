import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { setImmediate, setTimeout } from 'node:timers/promises'
import { describe, expect, test } from '@jest/globals'
import { onDatabaseWait, type DatabaseWait } from '../../../src/database/connection/waits.ts'
import { Database, openDatabase } from '../../../src/database/database.ts'
import { freePort } from '../../../src/database/embedded/free-port.ts'
import { isTransient, sqlState } from '../../../src/database/errors.ts'
import { DatabaseError, UsageError } from '../../../src/model/errors.ts'
import { testDatabase } from '../../support/database.ts'
import { PgProxy } from '../../support/pg-proxy.ts'

/** Starts a relay to the real server on a port. */
async function relay(url: string, port: number): Promise<Server> {
  const server = createServer((socket) => {
    const target = connect(Number(new URL(url).port), '127.0.0.1')
    socket.pipe(target).pipe(socket)
    for (const one of [socket, target]) one.on('error', () => [socket, target].map((each) => each.destroy()))
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return server
}

/** Returns a message of authentication, as a server sends it. */
function saslMessage(kind: number, content: string): Buffer {
  const head = Buffer.alloc(9)
  head.write('R')
  head.writeInt32BE(8 + content.length, 1)
  head.writeInt32BE(kind, 5)
  return Buffer.concat([head, Buffer.from(content)])
}

const at = (
  url: string,
  changes: Partial<Pick<URL, 'port' | 'password' | 'pathname' | 'username' | 'hostname'>>,
): string => Object.assign(new URL(url), changes).href

describe('connecting', () => {
  test('waits for a server that starts late, and tells that it waits and that the server has answered', async () => {
    await using own = await testDatabase()
    const port = await freePort()
    const waits: DatabaseWait[] = []
    const late = Promise.withResolvers<Server>()
    using _ = onDatabaseWait((wait) => {
      waits.push(wait)
      if (wait.message !== undefined) late.resolve(relay(own.url, port))
    })
    await using database = await openDatabase({ url: at(own.url, { port: String(port) }), waitNotice: '1ms' })
    expect(await database.query('select 1 as one')).toEqual([{ one: 1 }])
    expect(waits).toEqual([
      {
        label: database.label,
        // Before the first try has failed, the server only does not answer.
        message: expect.stringMatching(
          /: (?:no server listens there .*|the server does not answer); waits for it, 30s at most$/,
        ),
      },
      { label: database.label, message: undefined },
    ])
    const server = await late.promise
    server.close()
  })

  test('tells that a server which accepts connections does not answer', async () => {
    const stop = new AbortController()
    const reason = new Error('enough')
    await using silent = createServer((socket) => {
      if (stop.signal.aborted) socket.destroy()
      else stop.signal.addEventListener('abort', () => socket.destroy())
    }).listen(0, '127.0.0.1')
    await once(silent, 'listening')
    const { port } = silent.address() as AddressInfo
    const told = Promise.withResolvers<string | undefined>()
    using _ = onDatabaseWait(({ message }) => told.resolve(message))
    const url = `postgres://me@127.0.0.1:${port}/warehouse`
    const opening = openDatabase({ url, waitNotice: '1ms', signal: stop.signal }).catch((error: unknown) => error)
    expect(await told.promise).toMatch(/^Database warehouse at 127\.0\.0\.1:\d+: the server does not answer; waits/)
    stop.abort(reason)
    expect(await opening).toBe(reason)
  })

  test('a wait for a connection that others use is no wait for the server', async () => {
    await using own = await testDatabase()
    const waits: DatabaseWait[] = []
    using _ = onDatabaseWait((wait) => waits.push(wait))
    await using database = await openDatabase({ url: own.url, max: 1, waitNotice: '1ms' })
    waits.length = 0
    const transaction = await database.transaction()
    const waiting = database.query('select 1 as one')
    await setTimeout(50)
    await transaction[Symbol.asyncDispose]()
    expect(await waiting).toEqual([{ one: 1 }])
    expect(waits).toEqual([])
  })

  test('fails after its timeout with location, problem and remedy, without the password', async () => {
    const url = `postgres://me:hidden@127.0.0.1:${await freePort()}/warehouse`
    const error = await openDatabase({ url, connectTimeout: '150ms' }).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(DatabaseError)
    expect(String(error)).toMatch(
      new RegExp(
        'Database warehouse at 127.0.0.1:\\d+: no server listens there \\(connection refused\\) for 150ms; ' +
          'start PostgreSQL there, or correct DATABASE_URL',
      ),
    )
    expect(String(error)).not.toContain('hidden')
    expect(isTransient(error)).toBe(false)
  })

  test.each([
    [
      'a wrong password',
      { password: 'wrong' },
      '28P01',
      /password authentication failed.*; correct user and password in DATABASE_URL/,
    ],
    ['a missing database', { pathname: '/nowhere' }, '3D000', /database "nowhere" does not exist; create the database/],
  ])('fails at once for %s', async (_, changes, state, message) => {
    await using own = await testDatabase()
    const error = await openDatabase({ url: at(own.url, changes) }).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(DatabaseError)
    expect(sqlState(error)).toBe(state)
    expect(String(error)).toMatch(message)
  })

  test('fails at once for an address without a password where the server asks for one', async () => {
    // AuthenticationSASL, and after the first answer AuthenticationSASLContinue.
    const messages = [saslMessage(10, 'SCRAM-SHA-256\0\0'), saslMessage(11, 'r=nonce,s=c2FsdA==,i=4096')]
    const sockets: Socket[] = []
    await using server = createServer((socket) => {
      const left = [...messages]
      sockets.push(socket)
      socket.on('error', () => {}).on('data', () => socket.write(left.shift() ?? ''))
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    await expect(openDatabase({ url: `postgres://me@127.0.0.1:${port}/warehouse` })).rejects.toMatchObject({
      explanation: 'DATABASE_LOGIN',
      message: expect.stringMatching(
        /: the server asks for a password, and the address has none; add it to DATABASE_URL: postgres:/,
      ),
    })
    for (const socket of sockets) socket.destroy()
  })

  test('throws a UsageError for an invalid URL, without quoting it', async () => {
    const error = await openDatabase({ url: 'postgres://me:hidden@host:port:/x' }).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(UsageError)
    expect(`${String(error)} ${String((error as Error).cause)}`).not.toContain('hidden')
  })

  test('ends when the signal aborts', async () => {
    const controller = new AbortController()
    const reason = new Error('enough')
    using _ = onDatabaseWait(() => controller.abort(reason))
    const opening = openDatabase({
      url: `postgres://me:x@127.0.0.1:${await freePort()}/x`,
      signal: controller.signal,
      waitNotice: '1ms',
    })
    await expect(opening).rejects.toBe(reason)
  })

  test('waits while the server has no free connection', async () => {
    await using own = await testDatabase()
    const name = new URL(own.url).pathname.slice(1)
    await own.database
      .query(`create role small login password 'x' connection limit 1`)
      .catch(() => own.database.query('alter role small connection limit 1'))
    await own.database.query(`alter database ${name} owner to small`)
    const url = at(own.url, { username: 'small', password: 'x' })
    const first = await openDatabase({ url })
    using _ = onDatabaseWait(({ message }) => {
      if (message !== undefined) void first[Symbol.asyncDispose]()
    })
    await using second = await openDatabase({ url, waitNotice: '300ms' })
    expect(await second.query('select 1 as one')).toEqual([{ one: 1 }])
  })
})

describe('the pool', () => {
  test('holds at most max connections', async () => {
    await using own = await testDatabase({ max: 3 })
    const pids = await Promise.all(
      Array.from({ length: 20 }, () => own.database.query<{ pid: number }>('select pg_backend_pid() as pid')),
    )
    expect(new Set(pids.map(([row]) => row?.pid)).size).toBeLessThanOrEqual(3)
    expect(own.database.inUse).toBe(0)
  })

  test('replaces idle connections that have died', async () => {
    await using own = await testDatabase({ max: 2 })
    await using victim = new Database({ url: own.url, applicationName: 'victim' })
    const connection = await victim.connection()
    await victim.query('select 1')
    await own.database.query(
      `select pg_terminate_backend(pid, 5000) from pg_stat_activity where application_name = 'victim'`,
    )
    await connection.ended
    await connection[Symbol.asyncDispose]()
    expect(await victim.query('select 1 as one')).toEqual([{ one: 1 }])
  })

  test('has closed every connection when it is disposed', async () => {
    await using own = await testDatabase()
    const database = new Database({ url: own.url, applicationName: 'mine', max: 4 })
    await Promise.all(Array.from({ length: 4 }, () => database.query('select 1')))
    await database.transaction()
    await database[Symbol.asyncDispose]()
    await expect(database.query('select 1')).rejects.toThrow('Cannot use a pool after calling end on the pool')
    for (;;) {
      // The backend ends a moment after its socket.
      const [left] = await own.database.query<{ n: number }>(
        `select count(*)::int as n from pg_stat_activity where application_name = 'mine'`,
      )
      if (left?.n === 0) break
    }
  })

  test('closes although the server does not respond', async () => {
    await using own = await testDatabase()
    await using proxy = await PgProxy.open({ port: Number(new URL(own.url).port) })
    const database = new Database({ url: proxy.through(own.url) })
    const connection = await database.connection()
    await database.query('select 1')
    proxy.freeze()
    await connection[Symbol.asyncDispose]()
    await database[Symbol.asyncDispose]()
    await expect(connection.query('select 1')).rejects.toThrow('Client was closed')
  })

  test('returns dates without a zone as text', async () => {
    await using own = await testDatabase()
    expect(
      await own.database.query(
        `select date '2024-03-31' as d, timestamp '2024-03-31 02:30:00.123456' as t, array[date '2024-01-01'] as a`,
      ),
    ).toEqual([{ d: '2024-03-31', t: '2024-03-31 02:30:00.123456', a: '{2024-01-01}' }])
  })
})

describe('a connection outside the pool', () => {
  test('has a backend, receives notifications and ends when disposed', async () => {
    await using own = await testDatabase()
    const received = Promise.withResolvers<string>()
    const connection = await own.database.connection()
    expect(await connection.query('select pg_backend_pid() as pid')).toEqual([{ pid: connection.pid }])
    await connection.listen('Odd "name"', received.resolve)
    await own.database.query(`select pg_notify('Odd "name"', 'hello')`)
    expect(await received.promise).toBe('hello')
    await connection[Symbol.asyncDispose]()
    await expect(connection.query('select 1')).rejects.toThrow('Client was closed')
  })

  test('leaves nothing open if it is cancelled while it is being made', async () => {
    await using own = await testDatabase()
    const controller = new AbortController()
    // The server has accepted the connection, but its message arrives after the cancellation.
    await using proxy = await PgProxy.open({
      port: Number(new URL(own.url).port),
      watchers: [{ before: ({ name }) => void (name === 'BackendKeyData' && controller.abort(new Error('enough'))) }],
    })
    await using database = new Database({ url: proxy.through(own.url) })
    await expect(database.connection({ signal: controller.signal })).rejects.toThrow('enough')
    while (proxy.links.size > 0) await setImmediate()
  })

  test('bypasses the pooler by the direct URL', async () => {
    await using own = await testDatabase()
    await using other = await testDatabase()
    await using database = new Database({ url: own.url, directUrl: other.url })
    const name = async (direct: boolean): Promise<unknown> => {
      await using connection = await database.connection({ direct })
      return (await connection.query('select current_database() as name'))[0]?.['name']
    }
    expect([await name(true), await name(false)]).toEqual(
      [other.url, own.url].map((url) => new URL(url).pathname.slice(1)),
    )
  })
})
