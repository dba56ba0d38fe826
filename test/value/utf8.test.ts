import { describe, expect, test } from '@jest/globals'
import { decodeUtf8, invalidByte } from '../../src/value/utf8.ts'

describe('decodeUtf8', () => {
  test.each(['', 'plain', 'grün', '日本', '😀', '\ufffd', '\0'])('decodes %j as it is', (text) => {
    expect(decodeUtf8(Buffer.from(text))).toBe(text)
  })

  test.each([
    ['a byte that never occurs', [0x61, 0xff, 0x62], 'a\udcffb'],
    ['a continuation without a begin', [0x80, 0x61], '\udc80a'],
    ['a begin without its continuation', [0xc3, 0x61], '\udcc3a'],
    ['a begin at the end', [0x61, 0xe2, 0x82], 'a\udce2\udc82'],
    ['a character that is written too long', [0xc0, 0xaf], '\udcc0\udcaf'],
    ['half of a surrogate pair', [0xed, 0xa0, 0x80], '\udced\udca0\udc80'],
    ['a code behind the last one', [0xf4, 0x90, 0x80, 0x80], '\udcf4\udc90\udc80\udc80'],
    ['Latin-1 beside UTF-8', [0xc3, 0xbc, 0xfc], 'ü\udcfc'],
  ])('makes each wrong byte half of a pair: %s', (_, bytes, text) => {
    expect(decodeUtf8(Buffer.from(bytes))).toBe(text)
  })

  test('agrees with TextDecoder on which bytes are right', () => {
    for (let first = 0x80; first <= 0xff; first += 1)
      for (const rest of [[0x80], [0x9f, 0x80], [0xa0, 0x80], [0x8f, 0xbf, 0x80], [0x90, 0xbf, 0x80], [0xbf, 0xc0]]) {
        const bytes = Buffer.from([0x61, first, ...rest, 0x62])
        const isValid = !new TextDecoder().decode(bytes).includes('\ufffd')
        expect([bytes.toString('hex'), decodeUtf8(bytes).isWellFormed()]).toEqual([bytes.toString('hex'), isValid])
      }
  })
})

test('invalidByte returns the first wrong byte of a decoded text', () => {
  expect(invalidByte(decodeUtf8(Buffer.from([0x61, 0xe9, 0xff])))).toBe('0xe9')
  expect(invalidByte('fine 😀')).toBeUndefined()
  expect(invalidByte('\ud800')).toBeUndefined()
})
