// Numbers that no machine and no database has: each is refused with its place and what would be right.
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { baseUrl, http, serve } from '../../src/index.ts'
import { callSluice } from './support/call.ts'

let cwd = ''
beforeAll(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'sluice-range-'))
})
afterAll(() => rm(cwd, { recursive: true }))

const HIGH = 'http://127.0.0.1:99999/x'
const DATABASE = 'postgres://me:hush@127.0.0.1:99999/x'
const DIGITS = '99999999999999999999'

test.each<[string[], Record<string, string>, RegExp]>([
  [['serve', '--port', '99999'], {}, /'--port <n>' argument '99999' is invalid\. Give a port from 0 to 65535; 0 takes/],
  [['login', 'shop', '--port', '65536'], {}, /'--port <n>' argument '65536' is invalid\. Give a port from 0 to 65535/],
  [
    ['rejects', 'list', '--run', DIGITS],
    {},
    /'--run <id>' argument '9+' is invalid\. Give the number of a run, as slu/,
  ],
  [
    ['rejects', 'drop', 'a', '--id', '1', DIGITS],
    {},
    /'--id <ids\.\.\.>' argument '9+' is invalid\. Give the id of a r/,
  ],
  [
    ['rejects', 'replay', 'a', '--id', DIGITS],
    {},
    /'--id <ids\.\.\.>' argument '9+' is invalid\. Give the id of a rej/,
  ],
  [['probe', HIGH], {}, /"http:\S+" is not a URL, because the port 99999 is above 65535\. Give one, as in https/],
  [['init', '--from', HIGH], {}, /is no address of an API, because the port 99999 is above 65535\. Give one as https/],
  [['init', '--database', DATABASE], {}, /no address of a database, because the port 99999 is above 65535\. Give "emb/],
  [['runs', '--database', DATABASE], {}, /^database is not the URL of a database, because the port 99999 is above/],
  [['runs'], { DATABASE_URL: DATABASE }, /^DATABASE_URL is not the URL of a database, because the port 99999 .* Write/],
  [['runs'], { DATABASE_URL: 'postgres://127.0.0.1/x', PGPORT: '99999' }, /^The port of the database is 99999, by PGP/],
])('sluice %j with %j is refused', async (words, env, message) => {
  const ended = await callSluice(words, { cwd, env })
  expect(ended).toMatchObject({ code: 2, stdout: '', stderr: expect.stringMatching(message) })
  expect(ended.stderr).not.toContain('hush')
  expect(await readdir(cwd)).toEqual([])
})

test('from code, too', async () => {
  await expect(serve([], { port: 99_999 })).rejects.toThrow(
    'serve(): port must be a whole number from 0 to 65535, not 99999; 0 takes any free port',
  )
  expect(() => http(HIGH)).toThrow('this is not a URL, because the port 99999 is above 65535. Write scheme and host')
  process.env['RANGE_TEST_API'] = HIGH
  expect(() => baseUrl('RANGE_TEST_API', 'https://api.example')).toThrow(
    'RANGE_TEST_API in the environment is not a URL, because the port 99999 is above 65535. Write scheme',
  )
  delete process.env['RANGE_TEST_API']
})
