import { describe, expect, test } from '@jest/globals'
import { Decimal } from '../../src/value/decimal.ts'
import { UsageError } from '../../src/model/errors.ts'
import { readSecrets } from '../../src/observe/secrets.ts'

const TOKEN = 'tok/en+with "signs" & spaces'

describe('a secret', () => {
  test('is read by its name', () => {
    expect(readSecrets({ TOKEN }).value('TOKEN')).toBe(TOKEN)
  })

  test.each([
    [{}, 'is not set'],
    [{ TOKEN: '' }, 'is empty'],
  ])('that is missing throws an error with its name and the sources: %j', (environment, problem) => {
    const read = (): string => readSecrets(environment).value('TOKEN')
    expect(read).toThrow(UsageError)
    expect(read).toThrow(
      `secret TOKEN ${problem}: looked in the environment (the sluice command reads .env into it as well); ` +
        'set TOKEN there',
    )
  })

  test('that is misspelled shows the variable that is meant, but not that of another account, and no value', () => {
    const environment = { SHOP_EAST_KEY: 'value-1', CRM_TOKEN_FILE: '/run/value-2', USER: 'value-3' }
    const message = (name: string): string => {
      try {
        return readSecrets(environment).value(name)
      } catch (error) {
        return String(error)
      }
    }
    expect(message('SHOP_EAST_KEYY')).toMatch(/that holds it\. Did you mean SHOP_EAST_KEY, which is set\?$/)
    expect(message('CRM_TOKN')).toMatch(/Did you mean CRM_TOKEN, which is set\?$/)
    for (const name of ['SHOP_WEST_KEY', 'API_USER']) expect(message(name)).toMatch(/that holds it$/)
    for (const name of ['SHOP_EAST_KEYY', 'CRM_TOKN']) expect(message(name)).not.toContain('value-')
  })

  test('is hidden everywhere after it has been read', () => {
    const secrets = readSecrets({ TOKEN })
    expect(secrets.hide(`Bearer ${TOKEN}`)).toContain(TOKEN)
    secrets.value('TOKEN')
    const position = {
      url: `/x?key=${encodeURIComponent(TOKEN)}&page=2`,
      list: [`a ${TOKEN} b`, 1, null],
      [TOKEN]: true,
    }
    expect(secrets.hide(position)).toEqual({
      url: '/x?key={secret:TOKEN}&page=2',
      list: ['a {secret:TOKEN} b', 1, null],
      '{secret:TOKEN}': true,
    })
    expect(secrets.hide(JSON.stringify({ TOKEN }))).toBe('{"TOKEN":"{secret:TOKEN}"}')
    expect(secrets.hide(new URLSearchParams({ TOKEN }).toString())).toBe('TOKEN={secret:TOKEN}')
    expect(secrets.hide(encodeURIComponent(TOKEN).replace(/%[\dA-F]{2}/g, (code) => code.toLowerCase()))).toBe(
      '{secret:TOKEN}',
    )
  })

  test('replaces its placeholder', () => {
    const secrets = readSecrets({ TOKEN, OTHER: 'another one' })
    secrets.value('TOKEN')
    const value = { token: `x ${TOKEN}`, list: [TOKEN] }
    expect(secrets.reveal(secrets.hide(value))).toEqual(value)
    expect(readSecrets({ TOKEN }).reveal('{secret:TOKEN}')).toBe(TOKEN)
    expect(secrets.reveal('{secret:UNKNOWN}')).toBe('{secret:UNKNOWN}')
  })

  test('replaces its placeholder only if its name may be revealed', () => {
    const secrets = readSecrets({ TOKEN, OTHER: 'another one' })
    expect(secrets.reveal('{secret:TOKEN} {secret:OTHER}', ['TOKEN'])).toBe(`${TOKEN} {secret:OTHER}`)
  })

  test('of fewer than four characters is not hidden', () => {
    const secrets = readSecrets({ PIN: '123', LONG: '1234' })
    secrets.value('PIN')
    secrets.value('LONG')
    expect(secrets.hide('123 1234')).toBe('123 {secret:LONG}')
  })

  test('that starts like a longer one does not expose the rest of it', () => {
    const secrets = readSecrets({ SHORT: 'secret', LONG: 'secret-and-more' })
    secrets.value('SHORT')
    secrets.value('LONG')
    expect(secrets.hide('secret-and-more secret')).toBe('{secret:LONG} {secret:SHORT}')
  })

  test('that no variable holds is hidden after it was registered', () => {
    const secrets = readSecrets({})
    secrets.register?.('access token', 'fetched-token')
    expect(secrets.hide('Bearer fetched-token')).toBe('Bearer {secret:access token}')
  })

  test('stays hidden, however many others there are; of fetched tokens only those that may still be valid', () => {
    const secrets = readSecrets({ TOKEN: 'first-of-all' })
    secrets.value('TOKEN')
    for (let at = 0; at < 1_000; at += 1) {
      secrets.register?.(`token of account-${at}`, `account-token-${at}.`)
      secrets.register?.('access token', `fetched-token-${at}.`)
    }
    const shown = (text: string): boolean => secrets.hide(text) === text
    expect(['first-of-all', 'account-token-0.', 'account-token-999.'].filter(shown)).toEqual([])
    expect(['fetched-token-600.', 'fetched-token-999.'].filter(shown)).toEqual([])
    expect(['fetched-token-0.'].filter(shown)).toHaveLength(1)
  })
})

test('hiding changes no value that is not text', () => {
  const secrets = readSecrets({ TOKEN })
  secrets.value('TOKEN')
  const exact = new Decimal('0.12345678901234567890')
  expect(secrets.hide({ exact, big: 12345678901234567890n, none: undefined })).toEqual({
    exact,
    big: 12345678901234567890n,
    none: undefined,
  })
})
