import { createPrivateKey, createSecretKey, type KeyObject } from 'node:crypto'
import { UsageError } from '../../model/errors.ts'
import type { JwtAlgorithm } from '../../model/jwt.ts'

export interface JwtKey {
  readonly key: KeyObject
  /** The name of the key, if it states one. */
  readonly keyId?: string | undefined
  /** Its owner, if it states one: a service account of Google does. */
  readonly issuer?: string | undefined
}

const NEEDS: Readonly<Record<JwtAlgorithm, string>> = {
  RS256: 'a private RSA key',
  ES256: 'a private EC key on P-256',
  HS256: 'a shared secret',
}

/**
 * Reads the key of an algorithm: PEM (PKCS #8, PKCS #1 or SEC 1), a JWK, or the JSON of a service account of Google.
 * Any other text is the shared secret of HS256. Throws `UsageError` that names the secret and never quotes it.
 */
export function readJwtKey(text: string, algorithm: JwtAlgorithm, name: string): JwtKey {
  const read = keyOf(text.trim(), algorithm, name)
  if (isFor(algorithm, read.key)) return read
  throw new UsageError(
    `jwt(): the key in ${name} is ${kindOf(read.key)}, but ${algorithm} needs ${NEEDS[algorithm]}: ` +
      'look at the key and at the algorithm',
  )
}

function keyOf(text: string, algorithm: JwtAlgorithm, name: string): JwtKey {
  if (text.startsWith('{')) return keyOfJson(text, name)
  if (text.startsWith('-----BEGIN')) return { key: privateKey(name, () => createPrivateKey(pem(text))) }
  if (algorithm !== 'HS256') throw unreadable(name)
  return { key: createSecretKey(text, 'utf8') }
}

function keyOfJson(text: string, name: string): JwtKey {
  const json = objectOf(text, name)
  const textAt = (field: string): string | undefined => {
    const value = json[field]
    return typeof value === 'string' ? value : undefined
  }
  const own = textAt('private_key')
  if (own !== undefined)
    return {
      key: privateKey(name, () => createPrivateKey(pem(own))),
      keyId: textAt('private_key_id'),
      issuer: textAt('client_email'),
    }
  const keyId = textAt('kid')
  const shared = textAt('k')
  if (json['kty'] === 'oct' && shared !== undefined) return { key: createSecretKey(shared, 'base64url'), keyId }
  return { key: privateKey(name, () => createPrivateKey({ key: json, format: 'jwk' })), keyId }
}

function objectOf(text: string, name: string): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(text) as Readonly<Record<string, unknown>>
  } catch {
    throw unreadable(name)
  }
}

/** A variable of the environment often holds `\n` in place of line breaks. */
const pem = (text: string): string => text.replaceAll(String.raw`\n`, '\n')

function privateKey(name: string, read: () => KeyObject): KeyObject {
  try {
    return read()
  } catch {
    // The cause could quote the key.
    throw unreadable(name)
  }
}

const unreadable = (name: string): UsageError =>
  new UsageError(
    `jwt(): the secret ${name} is no private key that can be read: give it in PEM (-----BEGIN PRIVATE KEY-----) ` +
      `or as a JWK, without a passphrase. ${name}_FILE may name its file`,
  )

function isFor(algorithm: JwtAlgorithm, { type, asymmetricKeyType, asymmetricKeyDetails }: KeyObject) {
  switch (algorithm) {
    case 'RS256':
      return asymmetricKeyType === 'rsa'
    case 'ES256':
      return asymmetricKeyType === 'ec' && asymmetricKeyDetails?.namedCurve === 'prime256v1'
    case 'HS256':
      return type === 'secret'
  }
}

function kindOf({ type, asymmetricKeyType, asymmetricKeyDetails }: KeyObject): string {
  if (type === 'secret') return 'a shared secret'
  return ['a key of type', asymmetricKeyType, asymmetricKeyDetails?.namedCurve].filter(Boolean).join(' ')
}
