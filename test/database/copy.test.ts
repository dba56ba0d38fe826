import { describe, expect, test } from '@jest/globals'
import { isTransient } from '../../src/database/errors.ts'
import { testDatabase, type TestDatabase } from '../support/database.ts'

async function withTable(): Promise<TestDatabase> {
  const own = await testDatabase()
  await own.database.query('create table t (a int, b text)')
  return own
}
const rows = (from: number, to: number): Buffer =>
  Buffer.from(Array.from({ length: to - from }, (_, n) => `${from + n}\tx\n`).join(''))
const count = async ({ database }: TestDatabase): Promise<unknown> =>
  (await database.query('select count(*)::int as n from t'))[0]?.['n']

async function* longRows(n: number): AsyncGenerator<Uint8Array> {
  for (let row = 0; row < n; row += 1) yield Buffer.from(`${row}\t${'x'.repeat(500_000)}\n`)
}

async function* failing(): AsyncGenerator<Uint8Array> {
  yield rows(0, 10)
  throw new Error('no more pages')
}

describe('a COPY', () => {
  test('returns the row count of the server for chunks of any size', async () => {
    await using own = await withTable()
    await using transaction = await own.database.transaction()
    expect(
      await transaction.copy('copy t from stdin', [
        Buffer.from('1\t'),
        Buffer.from(''),
        Buffer.from('x\n2'),
        Buffer.from('\ty\n'),
      ]),
    ).toBe(2)
    expect(await transaction.copy('copy t from stdin', [])).toBe(0)
    await transaction.commit()
    expect(await count(own)).toBe(2)
  })

  test('follows other statements in the same query, even if they return rows', async () => {
    await using own = await withTable()
    await using transaction = await own.database.transaction()
    const text =
      'select 1; create temporary table staging (like t) on commit drop; select * from staging; copy staging from stdin'
    expect(await transaction.copy(text, [rows(0, 10)])).toBe(10)
    const [written] = await transaction.commit('insert into t select * from staging')
    expect(written?.count).toBe(10)
  })

  test('sends more than fits into the socket at once', async () => {
    await using own = await withTable()
    await using transaction = await own.database.transaction()
    expect(await transaction.copy('copy t from stdin', longRows(40))).toBe(40)
    expect(await transaction.query('select sum(length(b))::int as n from t')).toEqual([{ n: 20_000_000 }])
  })

  test('fails with the error of a bad row, and leaves a savepoint usable', async () => {
    await using own = await withTable()
    await using transaction = await own.database.transaction()
    {
      await using _ = await transaction.savepoint()
      const chunks = [
        rows(0, 1_000),
        Buffer.from('no number\tx\n'),
        ...Array.from({ length: 200 }, (_, n) => rows(n * 1_000, (n + 1) * 1_000)),
      ]
      await expect(transaction.copy('copy t from stdin', chunks)).rejects.toMatchObject({ code: '22P02' })
    }
    expect(await transaction.copy('copy t from stdin', [rows(0, 3)])).toBe(3)
    await transaction.commit()
    expect(await count(own)).toBe(3)
  })

  test('fails with the error of a statement before it', async () => {
    await using own = await withTable()
    await using transaction = await own.database.transaction()
    await expect(transaction.copy('select 1 / 0; copy t from stdin', [rows(0, 10)])).rejects.toMatchObject({
      code: '22012',
    })
  })

  test('fails with the error of its source, and stores nothing', async () => {
    await using own = await withTable()
    {
      await using transaction = await own.database.transaction()
      await expect(transaction.copy('copy t from stdin', failing())).rejects.toThrow('no more pages')
      await expect(transaction.commit()).rejects.toThrow('rolled back')
    }
    expect(await count(own)).toBe(0)
  })

  test('closes its source when it fails', async () => {
    await using own = await withTable()
    const { promise: closed, resolve } = Promise.withResolvers<string>()
    async function* chunks(): AsyncGenerator<Uint8Array> {
      try {
        for (;;) yield Buffer.from('no number\n'.repeat(1_000))
      } finally {
        resolve('closed')
      }
    }
    await using transaction = await own.database.transaction()
    await expect(transaction.copy('copy t from stdin', chunks())).rejects.toMatchObject({ code: '22P02' })
    expect(await closed).toBe('closed')
  })

  test.each([
    ['while its source is silent', () => Promise.withResolvers<Uint8Array>().promise],
    ['while its source goes on', () => Promise.resolve(Buffer.from(`1\t${'x'.repeat(4 << 20)}\n`))],
  ])('rejects when its connection dies %s', async (_, next) => {
    await using own = await withTable()
    let terminated: Promise<unknown> | undefined
    const work = async (): Promise<void> => {
      await using transaction = await own.database.transaction()
      const [backend] = await transaction.query<{ pid: number }>('select pg_backend_pid() as pid')
      async function* chunks(): AsyncGenerator<Uint8Array> {
        yield rows(0, 1_000)
        await (terminated = own.database.query('select pg_terminate_backend($1)', [backend?.pid]))
        for (;;) yield await next()
      }
      await transaction.copy('copy t from stdin', chunks())
    }
    const error = await work().catch((thrown: unknown) => thrown)
    expect(isTransient(error)).toBe(true)
    await terminated // Its connection is in use until its response, which may come after the COPY has failed.
    expect(own.database.inUse).toBe(0)
    expect(await count(own)).toBe(0)
  })
})
