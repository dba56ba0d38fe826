import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto'
import { UsageError } from '../model/errors.ts'
import type { Secrets } from '../model/scope.ts'
import { SECRET_KEY } from '../model/secrets-of.ts'

const KEY_BYTES = 32
const NONCE_BYTES = 12
const TAG_BYTES = 16
/** Begins each sealed text, so that a later version can tell its own apart. */
const VERSION = 1

/** Encrypts texts with AES-256-GCM. */
export interface SecretKey {
  /** Names the key and says nothing about it. */
  readonly id: string
  /** `place` is where the text is stored: it opens there only. */
  readonly seal: (text: string, place: string) => Buffer
  /** Returns undefined if the bytes were changed, or sealed for another place or with another key. */
  readonly open: (sealed: Uint8Array, place: string) => string | undefined
}

/** Reads SLUICE_KEY. Throws `UsageError` if it is missing or not a key. */
export function readSecretKey(secrets: Secrets): SecretKey {
  if (secrets.isSet?.(SECRET_KEY) === false)
    throw new UsageError(
      `${SECRET_KEY} is not set. It encrypts the tokens that refreshToken() keeps in the database, as the server may ` +
        'replace them at each use. Make one by: openssl rand -base64 32. Set the same on each machine',
    )
  const text = secrets.value(SECRET_KEY).trim()
  const bytes = /^[\da-f]{64}$/i.test(text) ? Buffer.from(text, 'hex') : Buffer.from(text, 'base64')
  if (bytes.length !== KEY_BYTES || !/^[\w+/-]+={0,2}$/.test(text))
    throw new UsageError(
      `${SECRET_KEY} is not a key: it must be 32 random bytes in base64 or hex, as openssl rand -base64 32 makes them`,
    )
  return secretKeyOf(bytes)
}

function secretKeyOf(key: Buffer): SecretKey {
  return {
    id: createHash('sha256').update('sluice key id').update(key).digest('hex').slice(0, 8),
    seal: (text, place) => {
      const nonce = randomBytes(NONCE_BYTES)
      const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(place))
      const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
      return Buffer.concat([Buffer.of(VERSION), nonce, cipher.getAuthTag(), body])
    },
    open: (sealed, place) => {
      const bytes = Buffer.from(sealed)
      const [nonceEnd, tagEnd] = [1 + NONCE_BYTES, 1 + NONCE_BYTES + TAG_BYTES]
      if (bytes[0] !== VERSION || bytes.length < tagEnd) return undefined
      try {
        const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(1, nonceEnd), { authTagLength: TAG_BYTES })
        decipher.setAAD(Buffer.from(place)).setAuthTag(bytes.subarray(nonceEnd, tagEnd))
        return decipher.update(bytes.subarray(tagEnd), undefined, 'utf8') + decipher.final('utf8')
      } catch {
        return undefined
      }
    },
  }
}
