import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from '@jest/globals'
import { retryAfter } from '../../../src/http/limits/retry-after.ts'

const now = new Date('2024-05-01T12:00:00Z')

/** Reads `retry-after` in a process whose zone is not UTC. */
async function inNewYork(text: string): Promise<unknown> {
  const program = `
    import { retryAfter } from './src/http/limits/retry-after.ts'
    const headers = { 'retry-after': ${JSON.stringify(text)} }
    console.log(JSON.stringify(retryAfter(headers, new Date('${now.toISOString()}'))))`
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', '--input-type=module-typescript', '--eval', program],
    { cwd: join(import.meta.dirname, '..', '..', '..'), env: { TZ: 'America/New_York' } },
  )
  return JSON.parse(stdout)
}

describe('Retry-After as a date', () => {
  test.each(['Wed, 01 May 2024 12:01:00', 'Wed May  1 12:01:00 2024', '2024-05-01T12:01:00'])(
    'without a zone is UTC, whatever the zone of the machine: %s',
    async (text) => {
      expect(await inNewYork(text)).toBe(60_000)
    },
  )

  test.each([
    ['an HTTP date', 'Wed, 01 May 2024 12:01:00 GMT'],
    ['an ISO date', '2024-05-01T12:01:00Z'],
    ['an ISO date with an offset', '2024-05-01T14:01:00+02:00'],
  ])('is read: %s', (_, text) => {
    expect(retryAfter({ 'retry-after': text }, now)).toBe(60_000)
  })

  test.each([
    ['an hour fast', 'Wed, 01 May 2024 13:00:00 GMT', 'Wed, 01 May 2024 13:00:30 GMT'],
    ['a day slow', 'Tue, 30 Apr 2024 12:00:00 GMT', 'Tue, 30 Apr 2024 12:00:30 GMT'],
  ])('is counted by the clock of the API if that is %s', (_, date, text) => {
    expect(retryAfter({ 'retry-after': text, date }, now)).toBe(30_000)
  })

  test('is counted by the own clock if the API states no time, or none that can be read', () => {
    const text = 'Wed, 01 May 2024 12:01:00 GMT'
    expect(retryAfter({ 'retry-after': text }, now)).toBe(60_000)
    expect(retryAfter({ 'retry-after': text, date: 'soon' }, now)).toBe(60_000)
  })

  test('that is over is no wait, and a text that is no date is none', () => {
    expect(retryAfter({ 'retry-after': 'Wed, 01 May 2024 11:00:00 GMT' }, now)).toBe(0)
    expect(retryAfter({ 'retry-after': 'later' }, now)).toBeUndefined()
  })
})

test.each(['99999999999999999', 'Fri, 31 Dec 9999 23:59:59 GMT'])('Retry-After: %s is cut to a year', (text) => {
  expect(retryAfter({ 'retry-after': text }, now)).toBe(366 * 86_400_000)
})
