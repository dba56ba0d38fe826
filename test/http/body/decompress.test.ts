import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { describe, expect, test } from '@jest/globals'
import { DecodeError } from '../../../src/model/errors.ts'
import { apiServer } from '../../support/api-server.ts'
import { failure, testClient } from '../../support/http-client.ts'

const value = { items: Array.from({ length: 50 }, (_, id) => ({ id, name: 'ä' })) }
const plain = Buffer.from(JSON.stringify(value))
const packed = {
  gzip: gzipSync(plain),
  deflate: deflateSync(plain),
  br: brotliCompressSync(plain),
  zstd: zstdCompressSync(plain),
}

/** Returns the body that the client reads from these bytes with this header. */
async function bodyOf(body: Uint8Array, encoding: string | undefined): Promise<unknown> {
  await using api = await apiServer([
    { body, headers: { 'content-type': 'application/json', ...(encoding && { 'content-encoding': encoding }) } },
  ])
  await using client = testClient({ base: api.origin })
  return (await client.get('/x')).body
}

describe('a body is read by what it is, if its content-encoding', () => {
  test.each(['gzip', 'x-gzip', 'deflate', 'br', 'zstd', 'gzip, br', 'utf-8'])(
    'says %s and it is not packed',
    async (encoding) => {
      expect(await bodyOf(plain, encoding)).toEqual(value)
    },
  )

  test.each(['gzip', 'zstd'] as const)('is missing and it is packed with %s', async (name) => {
    expect(await bodyOf(packed[name], undefined)).toEqual(value)
    expect(await bodyOf(packed[name], 'identity')).toEqual(value)
  })

  test.each([
    ['gzip', 'zstd'],
    ['zstd', 'gzip'],
    ['br', 'gzip'],
    ['deflate', 'zstd'],
  ] as const)('says %s and it is packed with %s', async (encoding, name) => {
    expect(await bodyOf(packed[name], encoding)).toEqual(value)
  })

  test('says gzip and it is packed twice', async () => {
    expect(await bodyOf(gzipSync(packed.gzip), 'gzip')).toEqual(value)
    expect(await bodyOf(brotliCompressSync(packed.gzip), 'gzip, br')).toEqual(value)
  })

  test('is right', async () => {
    for (const [encoding, body] of Object.entries(packed)) expect(await bodyOf(body, encoding)).toEqual(value)
  })
})

test.each([
  ['gzip', gzipSync(Buffer.alloc(5_000_000, ' '))],
  ['zstd', zstdCompressSync(Buffer.alloc(5_000_000, ' '))],
  ['gzip twice', gzipSync(gzipSync(Buffer.alloc(5_000_000, ' ')))],
])('a body that is packed with %s and does not say so is not unpacked beyond maxPageSize', async (_, body) => {
  await using api = await apiServer([{ body }])
  await using client = testClient({ base: api.origin, maxPageSize: 100_000 })
  const error = await failure(client.get('/x'))
  expect(error).toBeInstanceOf(DecodeError)
  expect(error.message).toContain('answered more than 100000 bytes')
})

test('a body that is packed more often than twice without a header is not unpacked for ever', async () => {
  const body = gzipSync(gzipSync(gzipSync(gzipSync(plain))))
  await using api = await apiServer([{ body }])
  await using client = testClient({ base: api.origin, attempts: 1 })
  expect(await failure(client.get('/x'))).toBeInstanceOf(DecodeError)
})
