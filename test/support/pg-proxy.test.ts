import { describe, expect, test } from '@jest/globals'
import { Client } from 'pg'
import { from as copyFrom } from 'pg-copy-streams'
import { testDatabase } from './database.ts'
import { PgProxy, type ProxyOptions, type Watcher } from './pg-proxy.ts'

/** A client that is connected through a proxy; a connection that is cut is no error of the test's. */
async function through(watcher: Watcher, options: Partial<ProxyOptions> = {}) {
  const { url, database, [Symbol.asyncDispose]: drop } = await testDatabase()
  const proxy = await PgProxy.open({ port: Number(new URL(url).port), watchers: [watcher], ...options })
  const client = new Client({ connectionString: proxy.through(url) })
  client.on('error', () => undefined)
  await client.connect()
  const dispose = async (): Promise<void> => {
    await client.end().catch(() => undefined)
    await proxy[Symbol.asyncDispose]()
    await drop()
  }
  /** Past the proxy. */
  const direct = (statement: string): Promise<object[]> => database.query(statement)
  return { client, proxy, direct, [Symbol.asyncDispose]: dispose }
}

describe('the proxy before PostgreSQL', () => {
  test('numbers the messages of both directions, and changes nothing', async () => {
    const seen: string[] = []
    const numbers: number[] = []
    await using line = await through({
      before: ({ n, from, name, text }) => void (numbers.push(n), seen.push(`${from} ${name} ${text ?? ''}`.trim())),
    })
    const first = seen.length
    expect((await line.client.query('select 7 as seven')).rows).toEqual([{ seven: 7 }])
    expect(seen.slice(first)).toEqual([
      'client Query select 7 as seven',
      'server RowDescription',
      'server DataRow',
      'server CommandComplete SELECT 1',
      'server ReadyForQuery I',
    ])
    expect(numbers).toEqual(numbers.map((_, at) => at + 1))
  })

  test('can lose the answer to a commit, which is carried out all the same', async () => {
    await using line = await through({
      before({ text, link }) {
        if (text !== 'COMMIT') return undefined
        link.cut()
        return 'drop'
      },
    })
    await line.direct('create table lost (id int)')
    await expect(line.client.query('begin; insert into lost values (1); commit')).rejects.toThrow(/terminated/)
    expect(await line.direct('select * from lost')).toEqual([{ id: 1 }])
  })

  test('passes nothing on after it was frozen', async () => {
    const frozen = Promise.withResolvers<void>()
    const line = await through({
      before({ text }) {
        if (!text?.startsWith('insert')) return
        line.proxy.freeze()
        frozen.resolve()
      },
    })
    await using _ = line
    await line.direct('create table frozen (id int)')
    const insert = line.client.query('insert into frozen values (1)').catch(() => 'lost')
    await frozen.promise
    line.proxy.thaw()
    expect(await insert).toBe('lost')
    expect(await line.direct('select * from frozen')).toEqual([])
  })

  test('hands a message over long after its client was cut off', async () => {
    const held = Promise.withResolvers<() => void>()
    const answered = Promise.withResolvers<void>()
    await using line = await through({
      before({ text, name, from, link, bytes }) {
        if (from === 'client' && name === 'Query' && text!.startsWith('insert')) {
          link.detach()
          held.resolve(() => link.sendToServer(bytes))
          return 'drop'
        }
        if (text === 'INSERT 0 1') answered.resolve()
        return undefined
      },
    })
    await line.direct('create table late (id int)')
    await expect(line.client.query('insert into late values (1)')).rejects.toThrow(/terminated|reset/i)
    expect(await line.direct('select * from late')).toEqual([])
    const deliver = await held.promise
    deliver()
    await answered.promise
    expect(await line.direct('select * from late')).toEqual([{ id: 1 }])
  })

  test('lets so many bytes through in a second', async () => {
    await using line = await through({}, { toServer: 1_000_000, watchers: [] })
    await line.client.query('create temporary table much (text text)')
    const started = performance.now()
    const copy = line.client.query(copyFrom('copy much from stdin'))
    for (let chunk = 0; chunk < 5; chunk++) copy.write(`${'x'.repeat(99_999)}\n`)
    copy.end()
    await new Promise((resolve, reject) => copy.once('finish', resolve).once('error', reject))
    expect(performance.now() - started).toBeGreaterThan(480)
    expect((await line.client.query('select count(*)::int from much')).rows).toEqual([{ count: 5 }])
  })
})
