import { execFile } from 'node:child_process'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { openDatabase } from '../../../src/database/database.ts'
import { connectionConfig } from '../../../src/database/connection/tls.ts'
import { DatabaseError, UsageError } from '../../../src/model/errors.ts'
import { AUTHORITY, tlsServer, type TlsServer } from '../../support/tls-server.ts'

let server: TlsServer
beforeAll(async () => {
  server = await tlsServer()
})
afterAll(() => server[Symbol.asyncDispose]())

/** Connects, and returns whether the connection is encrypted. */
async function isEncrypted(url: string): Promise<boolean> {
  await using database = await openDatabase({ url, connectTimeout: '5s' })
  const { ssl } = await database.one<{ ssl: boolean }>('select ssl from pg_stat_ssl where pid = pg_backend_pid()')
  return ssl
}

async function refusal(url: string): Promise<string> {
  const error: unknown = await isEncrypted(url).catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(DatabaseError)
  return (error as Error).message
}

describe('a server with a certificate', () => {
  test.each(['allow', 'prefer', 'require', 'verify-ca', 'verify-full'])(
    'is connected to by sslmode=%s if sslrootcert names the authority',
    async (mode) => {
      expect(await isEncrypted(server.url(`sslmode=${mode}&sslrootcert=${AUTHORITY}`))).toBe(true)
    },
  )

  test.each(['allow', 'prefer', 'require', 'verify-ca', 'verify-full'])(
    'is refused by sslmode=%s if its authority is unknown, and the error says how to trust it',
    async (mode) => {
      const message = await refusal(server.url(`sslmode=${mode}`))
      expect(message).toMatch(/^Database postgres at localhost:\d+: the server's certificate is not trusted \(.+\); /)
      for (const word of ['sslrootcert=FILE', 'NODE_EXTRA_CA_CERTS', 'sslmode=no-verify'])
        expect(message).toContain(word)
      expect(message).not.toContain('start PostgreSQL')
    },
  )

  test('is refused if the certificate names another host', async () => {
    const message = await refusal(server.url(`sslmode=require&sslrootcert=${AUTHORITY}`, '127.0.0.1'))
    expect(message).toContain("the server's certificate is for another host")
    expect(message).toContain('use a host in DATABASE_URL that the certificate names')
  })

  test('is connected to without a check by sslmode=no-verify, and without TLS by sslmode=disable', async () => {
    expect(await isEncrypted(server.url('sslmode=no-verify'))).toBe(true)
    expect(await isEncrypted(server.url('sslmode=disable'))).toBe(false)
  })

  test('is connected to by direct TLS', async () => {
    expect(await isEncrypted(server.url(`sslmode=require&sslnegotiation=direct&sslrootcert=${AUTHORITY}`))).toBe(true)
  })

  test.each([
    'sslmode=require&uselibpqcompat=true',
    'sslmode=prefer&uselibpqcompat=true',
    `sslmode=require&uselibpqcompat=true&sslrootcert=${AUTHORITY}`,
    `sslmode=verify-ca&uselibpqcompat=true&sslrootcert=${AUTHORITY}`,
  ])("is connected to under a wrong host by libpq's meaning of %s", async (parameters) => {
    expect(await isEncrypted(server.url(parameters, '127.0.0.1'))).toBe(true)
  })

  test("is refused under a wrong host by libpq's meaning of verify-full", async () => {
    const parameters = `sslmode=verify-full&uselibpqcompat=true&sslrootcert=${AUTHORITY}`
    expect(await refusal(server.url(parameters, '127.0.0.1'))).toContain('for another host')
  })

  test.each([false, true])('cancels a statement over TLS, direct: %s', async (direct) => {
    const parameters = `sslmode=require&sslrootcert=${AUTHORITY}${direct ? '&sslnegotiation=direct' : ''}`
    await using database = await openDatabase({ url: server.url(parameters) })
    const started = performance.now()
    await expect(database.query('select pg_sleep(30)', [], { timeout: '100ms' })).rejects.toThrow('it was cancelled')
    expect(performance.now() - started).toBeLessThan(2_500)
  })
})

test('sslmode=require prints no warning', async () => {
  const root = join(import.meta.dirname, '..', '..', '..')
  const program = `
    import { openDatabase } from './src/database/database.ts'
    await using database = await openDatabase({ url: ${JSON.stringify(server.url('sslmode=require'))} })
    console.log(await database.one('select 1 as one'))`
  const { stdout, stderr } = await promisify(execFile)(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', '--input-type=module-typescript', '--eval', program],
    { cwd: root, env: { PATH: dirname(process.execPath), NODE_EXTRA_CA_CERTS: AUTHORITY } },
  )
  expect({ stdout, stderr }).toEqual({ stdout: '{ one: 1 }\n', stderr: '' })
})

const url = 'postgres://me:p%3Fss@db.example:5432/shop'
const read = (parameters: string) => () => connectionConfig(`${url}?${parameters}`)

describe('the URL of a database', () => {
  test('keeps its other parameters when the TLS parameters are read', () => {
    expect(connectionConfig(`${url}?a=1&sslmode=no-verify&b=%2F`)).toEqual({
      connectionString: `${url}?a=1&b=%2F`,
      ssl: { rejectUnauthorized: false },
    })
    expect(connectionConfig(`${url}?sslmode=disable`)).toEqual({ connectionString: url, ssl: false })
    expect(connectionConfig(`${url}?a=1`)).toEqual({ connectionString: `${url}?a=1` })
  })

  test('is refused for an unknown sslmode, a file that is missing, and verify-ca without an authority', () => {
    expect(read('sslmode=on')).toThrow(/^sslmode=on in DATABASE_URL is unknown\. Use one of: disable, /)
    expect(read('sslmode=require&sslrootcert=/no/ca.crt')).toThrow(
      /^sslrootcert=\/no\/ca\.crt in DATABASE_URL cannot be read: ENOENT/,
    )
    expect(read('sslmode=verify-ca&uselibpqcompat=true')).toThrow(UsageError)
  })
})
