import { expect, test } from '@jest/globals'
import { threadId } from 'node:worker_threads'
import { WorkerPool } from '../../src/flow/worker-pool.ts'
import { nothing, watched } from './left-behind.ts'

const square = new URL('./modules/square.ts', import.meta.url).href
const stubborn = new URL('./modules/stubborn.ts', import.meta.url).href
const flag = (): Int32Array => new Int32Array(new SharedArrayBuffer(4))

test("a worker pool calls a TypeScript module's default export on another thread", async () => {
  await using pool = new WorkerPool({ threads: 1 })
  const answer = (await pool.run(square, { n: 12 })) as { n: number; thread: number }
  expect(answer.n).toBe(144)
  expect(answer.thread).not.toBe(threadId)
})

test('a worker pool serves more calls than can be queued at once', async () => {
  await using pool = new WorkerPool({ threads: 1, concurrency: 2 })
  const answers = await Promise.all(Array.from({ length: 50 }, (_, n) => pool.run(square, { n })))
  expect(answers).toMatchObject(Array.from({ length: 50 }, (_, n) => ({ n: n * n })))
})

test('a failure of the function fails that call only', async () => {
  await using pool = new WorkerPool({ threads: 1 })
  await expect(pool.run(stubborn, { how: 'throw' })).rejects.toThrow('no such country')
  await expect(pool.run(stubborn, { how: 'exit' })).rejects.toThrow('exited')
  await expect(pool.run(square, { n: 2 })).resolves.toMatchObject({ n: 4 })
})

test('the error of a module that cannot be loaded names it', async () => {
  await using pool = new WorkerPool({ threads: 1 })
  await expect(pool.run(new URL('./modules/none.ts', import.meta.url).href, {})).rejects.toThrow(/none\.ts/)
})

test("a cancelled call rejects with the signal's reason and ends its thread", async () => {
  const { controller, signal, leftBehind } = watched()
  const began = flag()
  await using pool = new WorkerPool({ threads: 1, concurrency: 1 })
  const running = pool.run(stubborn, { how: 'spin', began }, { signal })
  const waiting = pool.run(stubborn, { how: 'spin' }, { signal })
  await Atomics.waitAsync(began, 0, 0).value
  controller.abort('stop')
  await expect(running).rejects.toBe('stop')
  await expect(waiting).rejects.toBe('stop')
  await expect(pool.run(stubborn, { how: 'spin' }, { signal })).rejects.toBe('stop')
  expect(leftBehind().listeners).toBe(nothing.listeners)
  await expect(pool.run(square, { n: 3 })).resolves.toMatchObject({ n: 9 })
})

test('disposing a worker pool ends its threads and rejects running calls', async () => {
  const began = flag()
  const pool = new WorkerPool({ threads: 1, concurrency: 1 })
  const running = pool.run(stubborn, { how: 'spin', began }).catch(String)
  const waiting = pool.run(stubborn, { how: 'spin' }).catch(String)
  await Atomics.waitAsync(began, 0, 0).value
  await pool[Symbol.asyncDispose]()
  expect(await running).toMatch(/terminat/i)
  expect(await waiting).toMatch(/have been stopped/)
})

test('disposing an unused worker pool ends at once', async () => {
  await expect(new WorkerPool()[Symbol.asyncDispose]()).resolves.toBeUndefined()
})
