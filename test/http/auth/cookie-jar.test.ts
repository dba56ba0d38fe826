import { describe, expect, test } from '@jest/globals'
import { CookieJar } from '../../../src/http/auth/cookie-jar.ts'

const START = 1_000_000

/** A jar of api.example whose clock can be moved. */
function jarWith(...setCookies: string[]) {
  let clock = START
  const jar = new CookieJar({
    host: 'api.example',
    clock: () => clock,
    now: () => new Date('2024-05-01T12:00:00Z'),
  })
  const set = (texts: readonly string[], path = '/auth/login', headers = {}) =>
    jar.store({ url: new URL(path, 'https://api.example'), headers, setCookies: texts })
  set(setCookies)
  return {
    jar,
    set,
    pass: (seconds: number): void => {
      clock += seconds * 1_000
    },
    sent: (url = 'https://api.example/auth/x'): string =>
      jar
        .cookiesFor(new URL(url))
        .map(({ name, value }) => `${name}=${value}`)
        .join('; '),
  }
}

describe('a cookie', () => {
  test.each([
    ['a=b', 'a=b'],
    ['a=b=c; HttpOnly; SameSite=Lax', 'a=b=c'],
    ['  a  =  b  ; Secure', 'a=b'],
    ['a="quoted value"', 'a="quoted value"'],
    ['a=', 'a='],
    ['a=b; unknown=1; ;', 'a=b'],
    ['no pair', ''],
    ['=b', ''],
    ['a=b\u0001c', ''],
    ['', ''],
  ])('%j is sent as %j', (text, sent) => {
    expect(jarWith(text).sent()).toBe(sent)
  })

  test.each([
    ['a=b', '/auth/x', true],
    ['a=b', '/auth', true],
    ['a=b', '/authors', false],
    ['a=b', '/v1', false],
    ['a=b; Path=/', '/v1', true],
    ['a=b; path=/v1', '/v1/x', true],
    ['a=b; path=/v1', '/v10', false],
    ['a=b; path=/v1/', '/v1/x', true],
    ['a=b; path=/v1/', '/v1', false],
    ['a=b; path=relative', '/auth/x', true],
    ['a=b; path=relative', '/relative', false],
  ])('%j is sent to %s: %s', (text, path, isSent) => {
    expect(jarWith(text).sent(`https://api.example${path}`)).toBe(isSent ? 'a=b' : '')
  })

  test('of a login at the root is for all paths', () => {
    const { jar, sent } = jarWith()
    jar.store({ url: new URL('https://api.example/login'), headers: {}, setCookies: ['a=b'] })
    expect(sent('https://api.example/v1')).toBe('a=b')
  })

  test.each([
    ['a=b; Domain=api.example', true],
    ['a=b; Domain=.API.example', true],
    ['a=b; Domain=example', true],
    ['a=b; Domain=', true],
    ['a=b; Domain=pi.example', false],
    ['a=b; Domain=www.api.example', false],
    ['a=b; Domain=other.example', false],
  ])('%j is kept: %s', (text, isKept) => {
    expect(jarWith(text).sent()).toBe(isKept ? 'a=b' : '')
  })

  test('that is Secure is sent by https:// only', () => {
    const { sent } = jarWith('a=b; secure; path=/', 'c=d; path=/')
    expect(sent('https://api.example/x')).toBe('a=b; c=d')
    expect(sent('http://api.example/x')).toBe('c=d')
  })

  test.each([
    ['a=b; Max-Age=600', 600],
    ['a=b; Max-Age=600; Expires=Wed, 01 May 2024 13:00:00 GMT', 600],
    ['a=b; Expires=Wed, 01 May 2024 12:10:00 GMT', 600],
    ['a=b; Expires=Wed, 01-May-2024 12:10:00 GMT', 600],
    ['a=b; Expires=Wednesday, 01-May-24 12:10:00 GMT', 600],
  ])('%j expires after %i s', (text, seconds) => {
    const { pass, sent } = jarWith(text)
    pass(seconds - 1)
    expect(sent()).toBe('a=b')
    pass(1)
    expect(sent()).toBe('')
  })

  test("expires by the server's own clock", () => {
    const { set, pass, sent } = jarWith()
    set(['a=b; Expires=Wed, 01 May 2024 15:10:00 GMT'], '/auth/login', { date: 'Wed, 01 May 2024 15:00:00 GMT' })
    pass(599)
    expect(sent()).toBe('a=b')
    pass(1)
    expect(sent()).toBe('')
  })

  test.each(['a=b', 'a=b; Expires=never', 'a=b; Max-Age=soon'])('%j lasts as long as the session', (text) => {
    const { pass, sent, jar } = jarWith(text)
    pass(400 * 86_400)
    expect(sent()).toBe('a=b')
    expect(jar.usableUntil('a')).toBe(Infinity)
  })

  test.each([
    'a=; Max-Age=0',
    'a=deleted; Max-Age=-1',
    'a=x; Expires=Thu, 01 Jan 1970 00:00:00 GMT',
    'a=x; Expires=Thu, 01-Jan-1970 00:00:10 GMT',
  ])('is deleted by %j', (text) => {
    const { jar, set, sent } = jarWith('a=b', 'c=d')
    expect(set([text])).toEqual(['a'])
    expect(sent()).toBe('c=d')
    expect(jar.find('a')).toBeUndefined()
    expect(jar.usableUntil('a')).toBe(-Infinity)
  })

  test('is replaced by a later one of the same name and path', () => {
    const { set, sent } = jarWith('a=1', 'a=2; path=/', 'b=3')
    set(['a=4'])
    expect(sent()).toBe('b=3; a=4; a=2')
  })

  test('is used until shortly before its expiry, counted from when it was last set', () => {
    const { jar, set, pass } = jarWith('a=b; Max-Age=100')
    expect(jar.usableUntil('a')).toBe(START + 90_000)
    pass(50)
    set(['a=c; Max-Age=6000'])
    expect(jar.usableUntil('a')).toBe(START + 50_000 + 5_940_000)
  })
})

test('an API that sets ever new cookies keeps 100 of them', () => {
  const { set, sent } = jarWith('old=1')
  for (let n = 0; n < 300; n += 1) set([`c${n}=x`])
  expect(sent().split('; ')).toHaveLength(100)
  expect(sent()).toContain('c299=x')
})
