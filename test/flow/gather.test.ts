import { expect, test } from '@jest/globals'
import { asCompleted } from '../../src/flow/as-completed.ts'
import { gather } from '../../src/flow/gather.ts'
import { settle } from '../../src/flow/settle.ts'
import { turns } from './left-behind.ts'

const after = async <T>(count: number, value: T): Promise<T> => {
  await turns(count)
  if (value instanceof Error) throw value
  return value
}
const failure = new Error('failed')

test('gather keeps types and order', async () => {
  const [a, b] = await gather(after(5, 1), after(1, 'two'))
  expect([a.toFixed(), b.toUpperCase()]).toEqual(['1', 'TWO'])
})

test('gather rejects with the first failure at once', async () => {
  await expect(gather(new Promise(() => {}), after(1, failure))).rejects.toBe(failure)
})

test('settle waits for all tasks, and returns results and failures in their order', async () => {
  expect(await settle([after(5, 'a'), after(1, failure), after(1, 'b'), 'c'])).toEqual({
    done: ['a', 'b', 'c'],
    failed: [failure],
  })
})

test('asCompleted yields in the order of completion', async () => {
  expect(await Array.fromAsync(asCompleted([after(10, 'slow'), after(1, 'fast'), after(5, 'middle')]))).toEqual([
    'fast',
    'middle',
    'slow',
  ])
})

test('asCompleted yields results that completed while its consumer worked', async () => {
  const got: string[] = []
  for await (const value of asCompleted([after(3, 'c'), after(2, 'b'), after(1, 'a')])) {
    await turns(10)
    got.push(value)
  }
  expect(got).toEqual(['a', 'b', 'c'])
})

test('asCompleted throws a failure in its turn, and the rest causes no unhandled rejection', async () => {
  const got: unknown[] = []
  await expect(
    (async () => {
      for await (const value of asCompleted([after(1, 'a'), after(5, failure), after(6, new Error('later'))]))
        got.push(value)
    })(),
  ).rejects.toBe(failure)
  expect(got).toEqual(['a'])
  await turns(10)
})

test('asCompleted of no tasks yields nothing', async () => {
  expect(await Array.fromAsync(asCompleted([]))).toEqual([])
})
