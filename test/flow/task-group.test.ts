import { expect, test } from '@jest/globals'
import { TaskGroup } from '../../src/flow/task-group.ts'
import { forever, nothing, turns, watched } from './left-behind.ts'

test('join waits for all tasks, including those that are spawned during the wait', async () => {
  const log: string[] = []
  await using group = new TaskGroup()
  group.spawn(async () => {
    await turns()
    log.push('first')
    group.spawn(async () => {
      await turns()
      log.push('spawned by the first')
    })
  })
  await group.join()
  expect(log).toEqual(['first', 'spawned by the first'])
})

test('the first failure cancels the other tasks, and join throws it unwrapped', async () => {
  const first = new Error('first')
  const log: unknown[] = []
  const run = async (): Promise<void> => {
    await using group = new TaskGroup()
    group.spawn(async (signal) => {
      try {
        await forever(signal)
      } catch (error) {
        await turns()
        log.push(error)
        throw new Error('second', { cause: error })
      }
    })
    group.spawn(() => Promise.reject(first))
    await group.join()
  }
  await expect(run()).rejects.toBe(first)
  expect(log).toEqual([first])
})

test('a task that throws before its first await fails like any other', async () => {
  await using group = new TaskGroup()
  group.spawn(() => {
    throw new Error('at once')
  })
  await expect(group.join()).rejects.toThrow('at once')
})

test('leaving the block of a task group cancels the tasks and waits for them', async () => {
  const log: string[] = []
  {
    await using group = new TaskGroup()
    group.spawn(async (signal) => {
      await forever(signal).catch(() => {})
      await turns()
      log.push('stopped')
    })
  }
  expect(log).toEqual(['stopped'])
})

test('an error of the block of a task group is thrown after its tasks have ended', async () => {
  const log: string[] = []
  const failure = new Error('the block failed')
  const run = async (): Promise<void> => {
    await using group = new TaskGroup()
    group.spawn((signal) => forever(signal).catch(() => log.push('stopped')))
    throw failure
  }
  await expect(run()).rejects.toBe(failure)
  expect(log).toEqual(['stopped'])
})

test("a cancelled parent cancels the tasks, and join rejects with the parent's reason", async () => {
  const { controller, signal } = watched()
  await using group = new TaskGroup({ signal })
  group.spawn(forever)
  controller.abort('stop')
  await expect(group.join()).rejects.toBe('stop')
})

test('a cancelled task group starts no task, and join throws the reason', async () => {
  const { controller, signal } = watched()
  await using group = new TaskGroup({ signal })
  controller.abort('stop')
  let started = false
  group.spawn(() => (started = true))
  await expect(group.join()).rejects.toBe('stop')
  expect(started).toBe(false)
})

test('a task group leaves no listener or timer', async () => {
  const { signal, leftBehind } = watched()
  {
    await using group = new TaskGroup({ signal })
    group.spawn(() => turns())
    await group.join()
  }
  expect(leftBehind()).toEqual(nothing)
})
