import { chmod, chown, copyFile, mkdtemp, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { openDatabase } from '../../src/database/database.ts'
import { embeddedDatabase } from '../../src/database/embedded/embedded-database.ts'
import { sleep } from '../../src/flow/signals/sleep.ts'
import { dataDirectory } from './data-directory.ts'

const CERTIFICATES = join(import.meta.dirname, 'tls')

/** The authority that signed the server's certificate. */
export const AUTHORITY = join(CERTIFICATES, 'ca.crt')

export interface TlsServer extends AsyncDisposable {
  [Symbol.asyncDispose]: () => Promise<void>
  /** Returns the server's URL with a host and TLS parameters. The certificate names `localhost`, not `127.0.0.1`. */
  readonly url: (parameters: string, host?: string) => string
}

/**
 * Starts a PostgreSQL that accepts TLS, with a certificate of an authority that no machine trusts. Key and certificate
 * are for tests only, and valid until 2126.
 */
export async function tlsServer(): Promise<TlsServer> {
  const dir = await mkdtemp(join(dataDirectory(), 'sluice-tls-'))
  const server = await embeddedDatabase({ dir, durable: false })
  const data = join(dir, 'postgres', 'data')
  const { uid, gid } = await stat(data)
  for (const file of ['server.crt', 'server.key']) {
    await copyFile(join(CERTIFICATES, file), join(data, file))
    await chmod(join(data, file), 0o600)
    await chown(join(data, file), uid, gid)
  }
  await using database = await openDatabase({ url: server.url })
  await database.query('alter system set ssl = on')
  await database.query('select pg_reload_conf()')
  while ((await database.one<{ ssl: string }>(`select current_setting('ssl') as ssl`)).ssl !== 'on') await sleep(10)
  return {
    url: (parameters, host = 'localhost') =>
      `${Object.assign(new URL(server.url), { hostname: host }).href}?${parameters}`,
    [Symbol.asyncDispose]: async () => {
      await server[Symbol.asyncDispose]()
      await rm(dir, { recursive: true, force: true })
    },
  }
}
