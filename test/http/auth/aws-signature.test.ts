// AWS Signature Version 4, by the examples that AWS has published: its test suite, and its pages on signing and on S3.
import { expect, test } from '@jest/globals'
import { awsSignature, http, secret, signed } from '../../../src/index.ts'
import { awsAuthorization } from '../../../src/http/auth/aws-signature.ts'
import type { RequestToSign } from '../../../src/model/signature.ts'
import { secretsOf } from '../../../src/model/secrets-of.ts'
import { readSecrets } from '../../../src/observe/secrets.ts'
import { apiServer } from '../../support/api-server.ts'
import { testClient } from '../../support/http-client.ts'

const SUITE = { ID: 'AKIDEXAMPLE', KEY: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' }
const S3 = { ID: 'AKIAIOSFODNN7EXAMPLE', KEY: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' }
const keys = { accessKeyId: secret('ID'), secretAccessKey: secret('KEY') }

interface Example {
  readonly service: string
  readonly environment: Readonly<Record<string, string>>
  readonly now: string
  readonly request: Partial<RequestToSign> & { readonly url: URL }
}

async function signatureOf({ service, environment, now, request }: Example): Promise<string | undefined> {
  const auth = awsSignature({ service, region: 'us-east-1', ...keys })
  if (auth.type !== 'aws signature') throw new Error('Not a signature')
  const { signal } = new AbortController()
  const authorization = awsAuthorization(auth, { secrets: readSecrets(environment), now: () => new Date(now) })
  const { sign } = await authorization.credentials({ signal, stream: 's' })
  return sign?.({ method: 'GET', headers: {}, body: '', bytes: Buffer.from(request.body ?? ''), ...request }).headers?.[
    'authorization'
  ]
}

// Of the suite, what the wire can say: it has raw characters in paths, which a client sends escaped, and it signs every
// header, where only those that AWS demands are signed here.
const suite = { service: 'service', environment: SUITE, now: '2015-08-30T12:36:00Z' }
const examples: readonly (Example & { name: string; signature: string })[] = [
  {
    ...suite,
    name: 'get-vanilla',
    request: { url: new URL('https://example.amazonaws.com/') },
    signature: '5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31',
  },
  {
    ...suite,
    name: 'get-vanilla-query-order-key-case',
    request: { url: new URL('https://example.amazonaws.com/?Param2=value2&Param1=value1') },
    signature: 'b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500',
  },
  {
    ...suite,
    name: 'post-vanilla',
    request: { method: 'POST', url: new URL('https://example.amazonaws.com/') },
    signature: '5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b',
  },
  {
    ...suite,
    name: 'get-vanilla-query-unreserved',
    request: {
      url: new URL(
        'https://example.amazonaws.com/?-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz=' +
          '-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz',
      ),
    },
    signature: '9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197',
  },
  {
    ...suite,
    name: 'get-vanilla-empty-query-key',
    request: { url: new URL('https://example.amazonaws.com/?Param1=value1') },
    signature: 'a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb',
  },
  {
    ...suite,
    name: 'get-vanilla-utf8-query',
    request: { url: new URL('https://example.amazonaws.com/?ሴ=bar') },
    signature: '2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04',
  },
  {
    ...suite,
    name: 'get-unreserved',
    request: {
      url: new URL('https://example.amazonaws.com/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'),
    },
    signature: '07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f',
  },
  {
    ...suite,
    name: 'post-vanilla-query',
    request: { method: 'POST', url: new URL('https://example.amazonaws.com/?Param1=value1') },
    signature: '28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11',
  },
  {
    ...suite,
    name: 'post-x-www-form-urlencoded',
    request: {
      method: 'POST',
      url: new URL('https://example.amazonaws.com/'),
      headers: { 'content-type': 'application/x-www-form-urlencoded', 'content-length': '13' },
      body: 'Param1=value1',
    },
    signature: 'ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a',
  },
  {
    ...suite,
    name: 'ListUsers of IAM',
    service: 'iam',
    request: {
      url: new URL('https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08'),
      headers: { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8', 'user-agent': 'sluice' },
    },
    signature: '5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7',
  },
  {
    name: 'GET Bucket lifecycle of S3',
    service: 's3',
    environment: S3,
    now: '2013-05-24T00:00:00Z',
    request: { url: new URL('https://examplebucket.s3.amazonaws.com/?lifecycle') },
    signature: 'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543',
  },
]

test.each(examples)('$name has the published signature', async ({ signature, ...example }) => {
  expect(await signatureOf(example)).toContain(`Signature=${signature}`)
})

test('a signed request with a body is sent, with the token of the session', async () => {
  await using api = await apiServer([{ json: [] }])
  const auth = awsSignature({ service: 'execute-api', region: 'eu-west-1', ...keys, sessionToken: secret('SESSION') })
  await using client = testClient({ base: api.origin, auth }, { ...SUITE, SESSION: 'a-session' })
  await client.get('/orders?page=1', { method: 'POST', json: { a: 'ä' } })
  const [sent] = api.requests
  expect(sent?.body).toBe('{"a":"ä"}')
  expect(sent?.headers['x-amz-security-token']).toBe('a-session')
  expect(sent?.headers['x-amz-date']).toBe('20240501T120000Z')
  const [algorithm, credential, names, signature] = sent?.headers['authorization']?.split(/,? /) ?? []
  expect(algorithm).toBe('AWS4-HMAC-SHA256')
  expect(credential).toBe('Credential=AKIDEXAMPLE/20240501/eu-west-1/execute-api/aws4_request')
  expect(names).toBe('SignedHeaders=content-type;host;x-amz-date;x-amz-security-token')
  expect(signature).toMatch(/^Signature=[0-9a-f]{64}$/)
  expect(JSON.stringify(client.events)).not.toMatch(/a-session|EXAMPLEKEY/)
})

test('its words are checked, and its secrets are known before a run', () => {
  expect(secretsOf(awsSignature({ service: 's3', region: 'us-east-1', ...keys }))).toEqual(['ID', 'KEY'])
  expect(() => awsSignature({ service: '', region: 'us-east-1', ...keys })).toThrow(
    "awsSignature(): give the service as text, as in service: 'execute-api'",
  )
  expect(() => awsSignature({ service: 's3', region: 'x', ...keys, accessKeyId: 'AKID' as never })).toThrow(
    'give a secret by its name',
  )
  // A request is signed once: the second signature would be left out in silence.
  const auth = [awsSignature({ service: 's3', region: 'x', ...keys }), signed([], () => ({}))]
  expect(() => http('https://api.example', { auth })).toThrow('two of its credentials are sent in a signature')
})
