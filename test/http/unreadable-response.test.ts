import { randomBytes } from 'node:crypto'
import { describe, expect, test } from '@jest/globals'
import { DecodeError } from '../../src/model/errors.ts'
import { apiServer, type ApiAnswer } from '../support/api-server.ts'
import { failure, testClient } from '../support/http-client.ts'

describe('a response fails', () => {
  test('if it is not JSON at any try, and the error quotes its beginning without secrets', async () => {
    await using api = await apiServer([
      { body: `<html><title>Sign in</title> s3cr3t-token <a href="/?api_key=abc">${'x'.repeat(500)}</html>` },
    ])
    await using client = testClient(
      { base: api.origin, auth: { type: 'bearer', token: { secret: 'TOKEN' } } },
      { TOKEN: 's3cr3t-token' },
    )
    const error = await failure(client.get('/topics'))
    expect(error).toBeInstanceOf(DecodeError)
    expect(error.message).toMatch(
      /^GET \/topics answered 200 with text\/html that is no JSON: "<html><title>Sign in<\/title> /,
    )
    for (let at: unknown = error; at instanceof Error; at = at.cause)
      expect(`${at.message} ${at.stack}`).not.toMatch(/s3cr3t|abc/)
    expect(error.message.length).toBeLessThan(400)
    expect(api.requests).toHaveLength(5)
    for (const event of client.events) expect(JSON.stringify(event)).not.toMatch(/s3cr3t|abc/)
  })

  test('without a secret in the cause of the error', async () => {
    await using api = await apiServer([{ body: 's3cr3t-token' }])
    await using client = testClient(
      { base: api.origin, auth: { type: 'bearer', token: { secret: 'TOKEN' } } },
      { TOKEN: 's3cr3t-token' },
    )
    const { cause } = await failure(client.get('/topics'))
    expect((cause as Error).message).toContain('is not valid JSON')
    expect(`${(cause as Error).message}${(cause as Error).stack}`).not.toContain('s3cr3t')
  })

  test('if it is empty', async () => {
    await using api = await apiServer([{ headers: { 'content-type': 'application/json' } }])
    await using client = testClient({ base: api.origin })
    expect((await failure(client.get('/x'))).message).toBe(
      'GET /x answered 200 with JSON that is not valid: its body is empty; ' +
        'look at the path, and at what the API wants to be sent',
    )
  })

  test('if it is not UTF-8 and names no other charset', async () => {
    const headers = { 'content-type': 'application/json' }
    const latin = Buffer.from('{"name":"é"}', 'latin1')
    await using api = await apiServer([
      { body: latin, headers },
      { body: latin, headers: { 'content-type': 'application/json; charset=iso-8859-1' } },
    ])
    await using client = testClient({ base: api.origin })
    expect((await failure(client.get('/x'))).message).toContain('bytes that are not UTF-8')
    expect((await client.get('/x')).body).toEqual({ name: 'é' })
  })

  test.each([
    ['by its length', { body: Buffer.alloc(200_000, ' ') }],
    ['by its length, before its bytes arrive', { json: [1], hang: 'body', headers: { 'content-length': '200000' } }],
    [
      'by its bytes',
      { body: Buffer.alloc(200_000, ' '), headers: { 'content-length': [], 'transfer-encoding': 'chunked' } },
    ],
    ['when decompressed', { body: Buffer.alloc(5_000_000, ' '), encoding: 'gzip' }],
    [
      'when partly decompressed',
      { body: Buffer.concat([randomBytes(300_000), Buffer.alloc(5_000_000)]), encoding: 'gzip' },
      400_000,
    ],
    ['when decompressed', { body: Buffer.alloc(5_000_000, ' '), encoding: 'br' }],
    ['when decompressed', { body: Buffer.alloc(5_000_000, ' '), encoding: 'zstd' }],
  ] as [string, ApiAnswer, number?][])(
    'if it is larger than maxPageSize %s',
    async (_when, response, pageBytes = 100_000) => {
      await using api = await apiServer([response])
      await using client = testClient({ base: api.origin, maxPageSize: pageBytes })
      const error = await failure(client.get('/x'))
      expect(error).toBeInstanceOf(DecodeError)
      expect(error.message).toBe(
        `GET /x answered more than ${pageBytes} bytes: ask for smaller pages, or raise the API's maxPageSize`,
      )
      expect(client.memory.held).toBe(0)
      expect(api.requests).toHaveLength(1)
    },
  )

  test('with a message that hides a secret of its path', async () => {
    await using api = await apiServer([{ status: 404 }])
    await using client = testClient(
      { base: api.origin, auth: { type: 'bearer', token: { secret: 'TOKEN' } } },
      { TOKEN: 's3cr3t-token' },
    )
    const error = await failure(client.get('/bot/s3cr3t-token/x'))
    expect(error.message).toBe('GET /bot/{secret:TOKEN}/x answered 404')
    expect(error.stack).not.toContain('s3cr3t')
  })

  test('if its content-encoding was not accepted, or is wrong', async () => {
    const binary = Buffer.from('1f9d900001020304', 'hex')
    await using api = await apiServer([
      { body: binary, headers: { 'content-encoding': 'compress' } },
      { body: binary, headers: { 'content-encoding': 'gzip' } },
    ])
    await using client = testClient({ base: api.origin })
    expect((await failure(client.get('/x'))).message).toContain('packed with "compress"')
    expect((await failure(client.get('/x'))).message).toContain('not gzip, as its content-encoding says')
  })

  test('if JSON does not know one of its values, and the error names its place', async () => {
    await using api = await apiServer([{ body: '{"total":NaN,"items":[]}' }])
    await using client = testClient({ base: api.origin })
    expect((await failure(client.get('/x'))).message).toBe(
      'GET /x answered 200 with JSON that is not valid: total holds NaN, which JSON does not know',
    )
    expect(api.requests).toHaveLength(1)
  })
})
