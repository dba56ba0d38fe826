import { expect, test } from '@jest/globals'
import { Channel, ChannelClosedError } from '../../src/flow/channel.ts'
import { TaskGroup } from '../../src/flow/task-group.ts'
import { nothing, turns, watched } from './left-behind.ts'

test('readers of a channel share its items: each item goes to one of them, in order', async () => {
  const got: number[] = []
  await using group = new TaskGroup()
  using channel = new Channel<number>(2)
  group.spawn(async () => {
    for (let n = 0; n < 100; n++) await channel.send(n)
    channel.close()
  })
  for (let reader = 0; reader < 2; reader++) {
    group.spawn(async () => {
      for await (const n of channel) got.push(n)
    })
  }
  await group.join()
  expect(got).toEqual(Array.from({ length: 100 }, (_, n) => n))
})

test('a sender waits while the channel is full', async () => {
  using channel = new Channel<number>(2)
  let sent = 0
  void (async () => {
    for (;;) {
      await channel.send(sent)
      sent++
    }
  })().catch(() => {})
  await turns()
  expect(sent).toBe(2)
  await channel.receive()
  await turns()
  expect(sent).toBe(3)
})

test('items of several senders arrive in the order of the calls', async () => {
  using channel = new Channel<number>(1)
  const sending = [0, 1, 2, 3].map((n) => channel.send(n))
  const got = []
  for (let n = 0; n < 4; n++) got.push((await channel.receive()).value)
  await Promise.all(sending)
  expect(got).toEqual([0, 1, 2, 3])
})

test('a closed channel delivers its queued items, then ends', async () => {
  using channel = new Channel<number>(2)
  await channel.send(1)
  await channel.send(2)
  channel.close()
  expect(await Array.fromAsync(channel)).toEqual([1, 2])
})

test('a channel closed with a reason delivers its queued items, then throws the reason', async () => {
  using channel = new Channel<number>(2)
  await channel.send(1)
  const got: number[] = []
  const reason = new Error('source failed')
  channel.close(reason)
  channel.close(new Error('too late'))
  await expect(
    (async () => {
      for await (const n of channel) got.push(n)
    })(),
  ).rejects.toBe(reason)
  expect(got).toEqual([1])
})

test('closing a channel ends all waits', async () => {
  const full = new Channel<number>(1)
  await full.send(1)
  const sending = full.send(2)
  const reason = new Error('gone')
  full.close(reason)
  await expect(sending).rejects.toMatchObject({ name: 'ChannelClosedError', cause: reason })
  await expect(full.send(3)).rejects.toBeInstanceOf(ChannelClosedError)

  const empty = new Channel<number>(1)
  const receiving = empty.receive()
  empty.close()
  await expect(receiving).resolves.toEqual({ done: true, value: undefined })
})

test('a cancelled send sends nothing, and a cancelled read takes nothing', async () => {
  const { controller, signal, leftBehind } = watched()
  using full = new Channel<string>(1)
  using empty = new Channel<string>(1)
  await full.send('first')
  const sending = full.send('cancelled', { signal })
  const receiving = empty.receive({ signal })
  const reading = Array.fromAsync(empty.read({ signal }))
  await turns()
  controller.abort('stop')
  for (const wait of [sending, receiving, reading]) await expect(wait).rejects.toBe('stop')
  await expect(full.send('late', { signal })).rejects.toBe('stop')
  expect(await full.receive()).toEqual({ done: false, value: 'first' })
  await full.send('second')
  full.close()
  await empty.send('kept')
  empty.close()
  expect(await Array.fromAsync(full)).toEqual(['second'])
  expect(await Array.fromAsync(empty)).toEqual(['kept'])
  expect(leftBehind()).toEqual(nothing)
})

test.each([0, -1, 1.5, Infinity])('a capacity of %p is refused', (capacity) => {
  expect(() => new Channel(capacity)).toThrow(RangeError)
})
