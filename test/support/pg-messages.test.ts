import { describe, expect, test } from '@jest/globals'
import { Framer } from './pg-messages.ts'

const message = (letter: string, body: string): Buffer => {
  const bytes = Buffer.alloc(5 + Buffer.byteLength(body))
  bytes.write(letter, 'latin1')
  bytes.writeUInt32BE(bytes.length - 1, 1)
  bytes.write(body, 5)
  return bytes
}
const startup = (code: number, body = ''): Buffer => {
  const bytes = Buffer.alloc(8 + Buffer.byteLength(body))
  bytes.writeUInt32BE(bytes.length)
  bytes.writeUInt32BE(code, 4)
  bytes.write(body, 8)
  return bytes
}
const conversation = Buffer.concat([
  startup(80_877_103),
  startup(196_608, 'user\0me\0\0'),
  message('Q', 'select 1\0'),
  message('P', 'name\0select $1\0\0\0'),
  message('d', 'x'.repeat(70_000)),
  message('c', ''),
  message('X', ''),
])
const names = ['EncryptionRequest', 'Startup', 'Query', 'Parse', 'CopyData', 'CopyDone', 'Terminate']

describe('the framer', () => {
  test.each([1, 3, 5, 64, 65_536, 1_000_000])(
    'returns the same messages if the network cuts them every %d bytes',
    (size) => {
      const framer = new Framer('client')
      const frames = Array.from({ length: Math.ceil(conversation.length / size) }, (_, at) =>
        framer.push(conversation.subarray(at * size, (at + 1) * size)),
      ).flat()
      expect(frames.map(({ name }) => name)).toEqual(names)
      expect(Buffer.concat(frames.map(({ bytes }) => bytes)).equals(conversation)).toBe(true)
    },
  )

  test('returns the statements of messages', () => {
    const frames = new Framer('client').push(conversation)
    expect(frames.map(({ text }) => text)).toEqual([
      undefined,
      'user me',
      'select 1',
      'select $1',
      undefined,
      undefined,
      undefined,
    ])
  })

  test('returns the one byte that responds to an encryption request as a message', () => {
    const framer = new Framer('server')
    framer.expectBareAnswer()
    expect(
      framer
        .push(Buffer.concat([Buffer.from('N'), message('C', 'COMMIT\0'), message('Z', 'I')]))
        .map(({ name, text }) => [name, text]),
    ).toEqual([
      ['EncryptionAnswer', undefined],
      ['CommandComplete', 'COMMIT'],
      ['ReadyForQuery', 'I'],
    ])
  })

  test('returns a cancel request as one message', () => {
    expect(new Framer('client').push(startup(80_877_102, '\0\0\0\x01\0\0\0\x02')).map(({ name }) => name)).toEqual([
      'CancelRequest',
    ])
  })
})
