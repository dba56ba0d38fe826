import { sleep } from '../../../flow/signals/sleep.ts'
import { DecodeError, HttpError, UsageError } from '../../../model/errors.ts'
import { TransientError } from '../../request-error.ts'
import { CredentialEndpoint, RefusedError } from '../credential-request.ts'
import { clientForm, TokenEndpoint, type TokenResponse } from '../token-request.ts'
import { once, type LoginOptions } from './login.ts'

/** A login on another device: a person opens the address and types the code. */
export interface DeviceRequest {
  readonly url: string
  readonly code: string
  /** The address with the code in it, if the server has one. */
  readonly wholeUrl: string | undefined
  /** Waits until the person has let the client in. */
  readonly wait: () => Promise<TokenResponse>
}

/** Of a server that states none, in seconds. */
const DEFAULT_INTERVAL_S = 5
const DEFAULT_LIFETIME_S = 600
/** Added to the interval when the server asks to slow down. */
const SLOWER_S = 5

const noCode = (reason = ''): string =>
  `no code was given${reason && ` (${reason})`}; check the client, its scope, and that it may log in by device codes`
const noTokens = (reason = ''): string => `the login was refused${reason && ` (${reason})`}`

/** Begins a login by device code (RFC 8628). */
export async function requestDevice({ auth, options, signal }: LoginOptions): Promise<DeviceRequest> {
  const { deviceUrl, scope } = auth
  if (deviceUrl === undefined)
    throw new UsageError(
      'refreshToken() has no deviceUrl: give the address where the server gives codes for other devices, ' +
        'or log in without --device',
    )
  const { secrets } = options
  const client = clientForm(auth, secrets)
  const endpoint = new CredentialEndpoint(
    { method: 'POST', url: deviceUrl, purpose: 'the address of device codes' },
    options,
  )
  const content = new URLSearchParams({ ...client, ...(scope === undefined ? {} : { scope }) }).toString()
  const { body } = await once(
    () =>
      endpoint.send(
        { body: { type: 'application/x-www-form-urlencoded', content } },
        { signal, stream: '', refusal: noCode },
      ),
    signal,
  )
  const answer = (typeof body === 'object' && body !== null ? body : {}) as Readonly<Record<string, unknown>>
  const field = (name: string): string | undefined => {
    const value = answer[name]
    return typeof value === 'string' && value !== '' ? value : undefined
  }
  const [deviceCode, code] = [field('device_code'), field('user_code')]
  // Some servers have an earlier draft's name.
  const url = field('verification_uri') ?? field('verification_url')
  if (deviceCode === undefined || code === undefined || url === undefined)
    throw new DecodeError(`${endpoint.label} answered without a device code: is this the address of device codes?`)
  secrets.register?.('device code', deviceCode)
  const form = {
    grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
    device_code: deviceCode,
    ...client,
    ...auth.fields,
  }
  const lifetimeMs = secondsOf(answer['expires_in'], DEFAULT_LIFETIME_S) * 1_000
  const intervalS = secondsOf(answer['interval'], DEFAULT_INTERVAL_S)
  return {
    url,
    code,
    wholeUrl: field('verification_uri_complete'),
    wait: () =>
      poll(form, {
        endpoint: new TokenEndpoint(auth.tokenUrl, options, auth.clientSecretIn),
        lifetimeMs,
        intervalS,
        signal,
      }),
  }
}

interface PollOptions {
  readonly endpoint: TokenEndpoint
  readonly lifetimeMs: number
  readonly intervalS: number
  readonly signal: AbortSignal
}

async function poll(
  form: Readonly<Record<string, string>>,
  { endpoint, lifetimeMs, intervalS, signal }: PollOptions,
): Promise<TokenResponse> {
  const last = performance.now() + lifetimeMs
  let waitS = intervalS
  while (performance.now() < last) {
    await sleep(waitS * 1_000, { signal })
    try {
      return await endpoint.request(form, { signal, stream: '', refusal: noTokens })
    } catch (error) {
      // The server cannot be reached for a moment: it asks for fewer requests then too.
      const reason = error instanceof TransientError ? 'slow_down' : error instanceof RefusedError && error.reason
      if (reason === 'expired_token') break
      if (reason === 'slow_down') waitS += SLOWER_S
      else if (reason !== 'authorization_pending') throw error
    }
  }
  throw new HttpError('The code has expired before anybody used it. Log in again', {
    kind: 'credentials',
    location: endpoint.label,
  })
}

function secondsOf(value: unknown, standard: number): number {
  const seconds = Number(value)
  return value !== undefined && value !== null && Number.isFinite(seconds) && seconds >= 0 ? seconds : standard
}
