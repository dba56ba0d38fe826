import type { Grant } from '../../model/grant.ts'
import type { ApiResponse } from '../../model/request.ts'
import type { Credentials } from './authorization.ts'

/**
 * Returns what an answer says of the credentials of its request: the answer that the token came with, the claims of a
 * JWT that is sent as a bearer, which are decoded and not verified, or headers that vendors send. Undefined if none of
 * them says anything.
 */
export function grantOf(credentials: Credentials, headers: ApiResponse<unknown>['headers']): Grant | undefined {
  const { grant } = credentials
  const claims = claimsOf(credentials.headers['authorization'])
  const scope = grant?.scope ?? scopeIn(claims['scope'] ?? claims['scp']) ?? headers['x-oauth-scopes']
  const endsAt =
    grant?.endsAt ?? moment(Number(claims['exp'] ?? Number.NaN) * 1_000) ?? moment(Date.parse(headers[ENDS] ?? ''))
  if (scope === undefined && endsAt === undefined) return undefined
  return { scope, endsAt, isRenewed: grant !== undefined }
}

/** Of a personal token of GitHub. */
const ENDS = 'github-authentication-token-expiration'

/** Returns the scope of an answer or of a claim: a text, or a list of names. */
export function scopeIn(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  return Array.isArray(value) && value.every((name) => typeof name === 'string') ? value.join(' ') : undefined
}

const moment = (ms: number): Date | undefined => (Number.isNaN(new Date(ms).getTime()) ? undefined : new Date(ms))

function claimsOf(authorization = ''): Readonly<Record<string, unknown>> {
  const payload = /^Bearer [\w-]+\.([\w-]+)\.[\w-]*$/i.exec(authorization)?.[1]
  if (payload === undefined) return {}
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString())
    return typeof claims === 'object' && claims !== null ? (claims as Readonly<Record<string, unknown>>) : {}
  } catch {
    return {}
  }
}
