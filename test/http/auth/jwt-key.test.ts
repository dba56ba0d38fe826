// Keys of signed tokens, by the examples of RFC 7515, appendix A.
import { describe, expect, test } from '@jest/globals'
import { compactVerify, CompactSign, importJWK } from 'jose'
import { createHmac, generateKeyPairSync } from 'node:crypto'
import { readJwtKey } from '../../../src/http/auth/jwt-key.ts'
import type { JwtAlgorithm } from '../../../src/model/jwt.ts'

/** The claims of the examples, with the line breaks that they have there. */
const CLAIMS = '{"iss":"joe",\r\n "exp":1300819380,\r\n "http://example.com/is_root":true}'
const PAYLOAD = 'eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ'

const A1 = {
  key: {
    kty: 'oct',
    k: 'AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow',
  },
  token: `eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.${PAYLOAD}.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk`,
}

const A2 = {
  key: {
    kty: 'RSA',
    n:
      'ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZ' +
      'S-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2' +
      'R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcD' +
      'TW9gb54h4FRWyuXpoQ',
    e: 'AQAB',
    d:
      'Eq5xpGnNCivDflJsRQBXHx1hdR1k6Ulwe2JZD50LpXyWPEAeP88vLNO97IjlA7_GQ5sLKMgvfTeXZx9SE-7YwVol2NXOoAJe46sui395IW_G' +
      'O-pWJ1O0BkTGoVEn2bKVRUCgu-GjBVaYLU6f3l9kJfFNS3E0QbVdxzubSu3Mkqzjkn439X0M_V51gfpRLI9JYanrC4D4qAdGcopV_0ZHHzQl' +
      'BjudU2QvXt4ehNYTCBr6XCLQUShb1juUO1ZdiYoFaFQT5Tw8bGUl_x_jTj3ccPDVZFD9pIuhLhBOneufuBiB4cS98l2SR_RQyGWSeWjnczT0' +
      'QU91p1DhOVRuOopznQ',
    p:
      '4BzEEOtIpmVdVEZNCqS7baC4crd0pqnRH_5IB3jw3bcxGn6QLvnEtfdUdiYrqBdss1l58BQ3KhooKeQTa9AB0Hw_Py5PJdTJNPY8cQn7ouZ2' +
      'KKDcmnPGBY5t7yLc1QlQ5xHdwW1VhvKn-nXqhJTBgIPgtldC-KDV5z-y2XDwGUc',
    q:
      'uQPEfgmVtjL0Uyyx88GZFF1fOunH3-7cepKmtH4pxhtCoHqpWmT8YAmZxaewHgHAjLYsp1ZSe7zFYHj7C6ul7TjeLQeZD_YwD66t62wDmpe_' +
      'HlB-TnBA-njbglfIsRLtXlnDzQkv5dTltRJ11BKBBypeeF6689rjcJIDEz9RWdc',
    dp:
      'BwKfV3Akq5_MFZDFZCnW-wzl-CCo83WoZvnLQwCTeDv8uzluRSnm71I3QCLdhrqE2e9YkxvuxdBfpT_PI7Yz-FOKnu1R6HsJeDCjn12Sk3vm' +
      'AktV2zb34MCdy7cpdTh_YVr7tss2u6vneTwrA86rZtu5Mbr1C1XsmvkxHQAdYo0',
    dq:
      'h_96-mK1R_7glhsum81dZxjTnYynPbZpHziZjeeHcXYsXaaMwkOlODsWa7I9xXDoRwbKgB719rrmI2oKr6N3Do9U0ajaHF-NKJnwgjMd2w9c' +
      'jz3_-kyNlxAr2v4IKhGNpmM5iIgOS1VZnOZ68m6_pbLBSp3nssTdlqvd0tIiTHU',
    qi:
      'IYd7DHOhrWvxkwPQsRM2tOgrjbcrfvtQJipd-DlcxyVuuM9sQLdgjVk2oy26F0EmpScGLq2MowX7fhd_QJQ3ydy5cY7YIBi87w93IKLEdfnb' +
      'JtoOPLUW0ITrJReOgo1cq9SbsxYawBgfp_gh6A5603k2-ZQwVK0JKSHuLFkuQ3U',
  },
  token:
    `eyJhbGciOiJSUzI1NiJ9.${PAYLOAD}.` +
    'cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CU' +
    'Ar7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_d' +
    'O--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0ig' +
    'cN_IoypGlUPQGe77Rw',
}

const A3 = {
  key: {
    kty: 'EC',
    crv: 'P-256',
    x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
    y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
    d: 'jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI',
  },
  token:
    `eyJhbGciOiJFUzI1NiJ9.${PAYLOAD}.` +
    'DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q',
}
type Example = { readonly key: object; readonly token: string }

const read = ({ key }: Pick<Example, 'key'>, algorithm: JwtAlgorithm) =>
  readJwtKey(JSON.stringify(key), algorithm, 'KEY')
const sign = async (example: Pick<Example, 'key'>, alg: JwtAlgorithm): Promise<string> =>
  new CompactSign(Buffer.from(CLAIMS)).setProtectedHeader({ alg }).sign(read(example, alg).key)

describe('the examples of RFC 7515:', () => {
  test('A.1, HS256', async () => {
    // Its header has a line break, which jose does not write: the signature of the same text is compared.
    const [header, payload, signature] = A1.token.split('.')
    const { key } = read(A1, 'HS256')
    expect(createHmac('sha256', key.export()).update(`${header}.${payload}`).digest('base64url')).toBe(signature)
    expect((await compactVerify(A1.token, key)).protectedHeader.alg).toBe('HS256')
    expect((await compactVerify(await sign(A1, 'HS256'), key)).payload).toEqual(new Uint8Array(Buffer.from(CLAIMS)))
  })

  test('A.2, RS256', async () => {
    expect(await sign(A2, 'RS256')).toBe(A2.token)
  })

  test('A.3, ES256, whose signatures differ each time', async () => {
    const { d: _, ...shown } = A3.key
    const key = await importJWK(shown, 'ES256')
    for (const token of [A3.token, await sign(A3, 'ES256')])
      expect(Buffer.from((await compactVerify(token, key)).payload).toString()).toBe(CLAIMS)
    expect(await sign(A3, 'ES256')).not.toBe(A3.token)
  })
})

const rsa = generateKeyPairSync('rsa', { modulusLength: 2_048 })
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const pkcs8 = rsa.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString()

describe('a key is read', () => {
  test.each<[string, string, JwtAlgorithm]>([
    ['PKCS #8', pkcs8, 'RS256'],
    ['PKCS #1', rsa.privateKey.export({ format: 'pem', type: 'pkcs1' }).toString(), 'RS256'],
    ['with line breaks written as \\n', pkcs8.replaceAll('\n', String.raw`\n`), 'RS256'],
    ['with spaces around it', `\n ${pkcs8}\n\n`, 'RS256'],
    ['SEC1', ec.privateKey.export({ format: 'pem', type: 'sec1' }).toString(), 'ES256'],
    ['JWK', JSON.stringify(ec.privateKey.export({ format: 'jwk' })), 'ES256'],
  ])('from PEM or JWK: %s', (_, text, algorithm) => {
    const pair = algorithm === 'RS256' ? rsa : ec
    expect(readJwtKey(text, algorithm, 'KEY').key.equals(pair.privateKey)).toBe(true)
  })

  test('with its name, of a JWK', () => {
    expect(readJwtKey(JSON.stringify({ ...A3.key, kid: 'k-1' }), 'ES256', 'KEY').keyId).toBe('k-1')
  })

  test('with its owner, of a service account of Google', () => {
    const json = { type: 'service_account', private_key: pkcs8, private_key_id: 'k-2', client_email: 'me@x.example' }
    const { key, ...names } = readJwtKey(JSON.stringify(json), 'RS256', 'KEY')
    expect(names).toEqual({ keyId: 'k-2', issuer: 'me@x.example' })
    expect(key.equals(rsa.privateKey)).toBe(true)
  })

  test('as text for HS256', () => {
    expect(readJwtKey('a shared secret', 'HS256', 'KEY').key.export().toString()).toBe('a shared secret')
  })
})

describe('a key is refused without a word of it', () => {
  const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey.export({ format: 'jwk' })
  const encrypted = rsa.privateKey.export({ format: 'pem', type: 'pkcs8', cipher: 'aes-256-cbc', passphrase: 'x' })

  test.each<[string, string, JwtAlgorithm, string]>([
    ['no key', 'something else', 'RS256', 'is no private key that can be read'],
    ['broken PEM', '-----BEGIN PRIVATE KEY-----\nsomething\n-----END PRIVATE KEY-----', 'RS256', 'is no private key'],
    ['a public key', rsa.publicKey.export({ format: 'pem', type: 'spki' }).toString(), 'RS256', 'is no private key'],
    ['one with a passphrase', encrypted.toString(), 'RS256', 'without a passphrase. KEY_FILE may name its file'],
    ['broken JSON', '{"kty": something', 'RS256', 'is no private key that can be read'],
    ['other JSON', '{"kty": "something"}', 'RS256', 'is no private key that can be read'],
    ['RSA for ES256', pkcs8, 'ES256', 'is a key of type rsa, but ES256 needs a private EC key on P-256'],
    ['RSA for HS256', pkcs8, 'HS256', 'is a key of type rsa, but HS256 needs a shared secret'],
    ['EC for RS256', JSON.stringify(A3.key), 'RS256', 'is a key of type ec prime256v1, but RS256 needs a private RSA'],
    ['another curve', JSON.stringify(p384), 'ES256', 'is a key of type ec secp384r1, but ES256 needs'],
    ['a shared secret for RS256', JSON.stringify(A1.key), 'RS256', 'is a shared secret, but RS256 needs'],
  ])('%s', (_, text, algorithm, message) => {
    const reading = (): unknown => readJwtKey(text, algorithm, 'KEY')
    expect(reading).toThrow(expect.objectContaining({ code: 'USAGE', message: expect.stringContaining(message) }))
    expect(reading).toThrow(expect.not.objectContaining({ message: expect.stringContaining('something') }))
    expect(reading).toThrow(expect.not.objectContaining({ cause: expect.anything() }))
  })
})
