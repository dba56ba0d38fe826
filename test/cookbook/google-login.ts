import { createVerify, generateKeyPairSync } from 'node:crypto'
import { vendor, type Vendor } from './vendor.ts'

const account = 'reader@project.iam.gserviceaccount.com'

/**
 * Starts the token endpoint of Google for a service account, and puts the account's JSON key into `GOOGLE_KEY`. It
 * grants the token `ya29.granted` for an assertion that the key has signed for this scope.
 */
export async function googleLogin(scope: string): Promise<Vendor> {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 })
  const key = {
    type: 'service_account',
    client_email: account,
    private_key_id: 'key-1',
    private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
  }
  const login: Vendor = await vendor({
    base: 'GOOGLE_TOKEN_URL',
    prefix: '/token',
    environment: { GOOGLE_KEY: JSON.stringify(key) },
    lets: ({ body }) => {
      const form = new URLSearchParams(body)
      const [header = '', claims = '', signature = ''] = form.get('assertion')?.split('.') ?? []
      const said = JSON.parse(Buffer.from(claims, 'base64url').toString()) as Record<string, unknown>
      return (
        form.get('grant_type') === 'urn:ietf:params:oauth:grant-type:jwt-bearer' &&
        createVerify('RSA-SHA256').update(`${header}.${claims}`).verify(publicKey, signature, 'base64url') &&
        said['iss'] === account &&
        said['scope'] === scope &&
        said['aud'] === `${login.origin}/token`
      )
    },
    refusal: { status: 400, json: { error: 'invalid_grant' } },
    answer: () => ({ json: { access_token: 'ya29.granted', expires_in: 3_599, token_type: 'Bearer' } }),
  })
  return login
}

/** Another key of the same account, which Google does not know. */
export function otherGoogleKey(): string {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 })
  const private_key = privateKey.export({ type: 'pkcs8', format: 'pem' })
  return JSON.stringify({ type: 'service_account', client_email: account, private_key_id: 'key-2', private_key })
}
