import { readFileSync } from 'node:fs'
import type { ConnectionOptions } from 'node:tls'
import type { ClientConfig } from 'pg'
import { UsageError } from '../../model/errors.ts'
import { messageOf } from '../../value/error.ts'

const TLS_PARAMETERS = ['ssl', 'sslmode', 'sslrootcert', 'sslcert', 'sslkey', 'sslnegotiation', 'uselibpqcompat']

const MODES = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full', 'no-verify']

/**
 * Returns the driver's options for a URL. The TLS parameters of the URL are read here: the driver would print a warning
 * for most values of `sslmode`, and will give them another meaning in its next version.
 *
 * | sslmode | in Sluice | in libpq, and here with `uselibpqcompat=true` |
 * |---|---|---|
 * | none | no TLS, unless `PGSSLMODE` says otherwise | the same as `prefer` |
 * | `disable` | no TLS | the same |
 * | `allow`, `prefer` | as `verify-full` | TLS, the certificate is not checked (libpq also accepts no TLS) |
 * | `require` | as `verify-full` | TLS, the certificate is not checked; with `sslrootcert` as `verify-ca` |
 * | `verify-ca` | as `verify-full` | the certificate must be signed by `sslrootcert`, for any host |
 * | `verify-full` | the certificate must be trusted and name the host | the same |
 * | `no-verify` | TLS, the certificate is not checked | no such mode |
 *
 * A certificate is trusted if it is signed by `sslrootcert`; without that, by an authority that Node knows or that
 * `NODE_EXTRA_CA_CERTS` adds.
 */
export function connectionConfig(url: string): ClientConfig {
  const mark = url.indexOf('?')
  const parameters = new Map(mark < 0 ? [] : new URLSearchParams(url.slice(mark + 1)))
  const mode = parameters.get('sslmode')
  const files = ['sslrootcert', 'sslcert', 'sslkey'].filter((name) => parameters.get(name))
  // The other parameters have the same meaning in the driver, without a warning.
  if (!mode && files.length === 0) return { connectionString: url }
  if (mode && !MODES.includes(mode))
    throw new UsageError(`sslmode=${mode} in DATABASE_URL is unknown. Use one of: ${MODES.join(', ')}.`)
  const negotiation = parameters.get('sslnegotiation')
  return {
    connectionString: withoutTls(url, mark),
    ssl: mode === 'disable' ? false : tlsOptions(parameters),
    ...(negotiation === 'direct' && { sslnegotiation: negotiation }),
  }
}

function tlsOptions(parameters: ReadonlyMap<string, string>): ConnectionOptions {
  const mode = parameters.get('sslmode')
  const options: ConnectionOptions = {}
  const [ca, cert, key] = ['sslrootcert', 'sslcert', 'sslkey'].map((name) => readPem(name, parameters.get(name)))
  if (ca) options.ca = ca
  if (cert) options.cert = cert
  if (key) options.key = key
  if (mode === 'no-verify') return { ...options, rejectUnauthorized: false }
  if (parameters.get('uselibpqcompat') !== 'true') return options
  if (mode === 'verify-ca' && !ca)
    throw new UsageError('sslmode=verify-ca in DATABASE_URL needs the file of the authority: add sslrootcert=FILE.')
  if (mode === 'verify-ca' || (mode === 'require' && ca)) return { ...options, checkServerIdentity: () => undefined }
  return mode === 'verify-full' || !mode ? options : { ...options, rejectUnauthorized: false }
}

function readPem(name: string, file: string | undefined): string | undefined {
  if (!file) return undefined
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new UsageError(`${name}=${file} in DATABASE_URL cannot be read: ${messageOf(error)}`, { cause: error })
  }
}

function withoutTls(url: string, mark: number): string {
  const kept = url
    .slice(mark + 1)
    .split('&')
    .filter((parameter) => !TLS_PARAMETERS.includes(parameter.split('=', 1)[0] ?? ''))
  return kept.length === 0 ? url.slice(0, mark) : `${url.slice(0, mark)}?${kept.join('&')}`
}
