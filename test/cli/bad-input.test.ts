import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { apiServer, type ApiHandler } from '../support/api-server.ts'
import { testDatabase, type TestDatabase } from '../support/database.ts'
import { fault, pages, TOKEN } from './support/fault.ts'

describe('each error is one message with a location, the problem and what to do:', () => {
  describe('in the definition', () => {
    test('a missing secret, before any request', async () => {
      await using api = await apiServer(pages())
      await using database = await testDatabase()
      const { error } = await fault(api, database.url, { env: { API_TOKEN: '' }, code: 2 })
      expect(error).toBe(
        'bad.rows: secret API_TOKEN is empty: looked in the environment (the sluice command reads .env into ' +
          'it as well); set API_TOKEN there, or API_TOKEN_FILE to the path of a file that holds it',
      )
      expect(api.requests).toEqual([])
    })

    test('a pipeline file that throws', async () => {
      await using api = await apiServer(pages())
      const thrown = await fault(api, 'postgres://localhost:1/none', { words: ['./pipelines/throws.ts'], code: 2 })
      expect(thrown.error).toMatch(
        /^pipelines\/throws\.ts:9:\d+ could not be loaded: SyntaxError: .+\. Correct it; --verbose shows the stack$/,
      )
      const leaking = await fault(api, 'postgres://localhost:1/none', { words: ['./pipelines/tells.ts'], code: 2 })
      expect(leaking.error).toBe(
        'pipelines/tells.ts:1:7 could not be loaded: no settings for {secret:API_TOKEN}. Correct it; --verbose ' +
          'shows the stack',
      )
    })

    test('a name of no pipeline', async () => {
      await using api = await apiServer(pages())
      expect((await fault(api, 'postgres://localhost:1/none', { words: ['good'], code: 2 })).error).toBe(
        "There is no pipeline 'good' in pipelines/ (found: bad; 2 files do not load, see sluice list). Give " +
          'one of these names, or a file',
      )
      expect((await fault(api, 'postgres://localhost:1/none', { words: ['bad.lines'], code: 2 })).error).toBe(
        "bad has no stream 'lines': it has rows",
      )
    })
  })

  describe('in the API', () => {
    let database: TestDatabase
    beforeAll(async () => {
      database = await testDatabase()
    })
    afterAll(async () => database[Symbol.asyncDispose]())

    test.each<[string, ApiHandler, RegExp]>([
      [
        'a wrong key',
        () => ({ status: 401, json: { error: `${TOKEN} is not known` } }),
        /^GET \/rows answered 401: .* refused; check API_TOKEN\. The API says: "\{secret:API_TOKEN\} is not known"$/,
      ],
      [
        'HTML with 200',
        () => ({ body: `<html><title>Sign in as ${TOKEN}</title></html>` }),
        new RegExp(
          String.raw`^GET /rows answered 200 with text/html that is no JSON: .+; look at the path, and ` +
            String.raw`at what the API wants to be sent$`,
        ),
      ],
      [
        'an object where a list was expected',
        () => ({ json: { rows: { id: 1 }, next: null } }),
        /^GET \/rows: 'rows' holds an object where a list of records was expected/,
      ],
      [
        'a renamed key',
        () => ({ json: { lines: [], next: null } }),
        new RegExp(
          String.raw`^GET /rows: 'rows': the body has no 'rows', only lines, next\. ` +
            String.raw`The body has one list: 'lines'\. If it may be ` +
            String.raw`missing, add \{ optional: true \}$`,
        ),
      ],
      [
        'a repeated cursor',
        ({ query }) => ({ json: { rows: [{ id: Number(query.get('after') ?? 0) }], next: 7 } }),
        new RegExp(
          String.raw`^GET /rows: the response leads to a page that was read before\. .+ Compare the ` +
            String.raw`parameter that the paginator sends`,
        ),
      ],
      [
        'a server that hangs',
        () => ({ hang: true }),
        new RegExp(
          String.raw`^GET /rows took longer than 2s, gave up after 1 attempt; check that the API is up, ` +
            String.raw`or raise its timeout and attempts, then run again`,
        ),
      ],
      [
        'a path that is not there',
        () => ({ status: 404, json: {} }),
        /^GET \/rows answered 404; check the path, or set \{ emptyOn: \[404\] \} if it means that there is nothing$/,
      ],
      [
        'a server that is down',
        () => ({ status: 503, body: 'away' }),
        /^GET \/rows answered 503, gave up after 1 attempt; check that the API is up/,
      ],
    ])('%s', async (_, answer, message) => {
      await using api = await apiServer(answer)
      const { error, report } = await fault(api, database.url)
      expect(error).toMatch(message)
      expect(report).toMatchObject({ status: 'failed', streams: { rows: { status: 'failed' } } })
    })
  })
})
