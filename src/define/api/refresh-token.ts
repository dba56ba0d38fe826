import type { Auth, Secret } from '../../model/request.ts'
import { rejectUnknownOptions, type OptionNames } from '../../model/unknown-option.ts'
import { checkClientSecretIn, proven, type ClientCredentialsOptions } from './auth.ts'

/** Options of `refreshToken()`. */
export interface RefreshTokenOptions extends Omit<ClientCredentialsOptions, 'clientSecret'> {
  /** @default none: a public client */
  readonly clientSecret?: Secret
  /**
   * The variable of the first token. The server may give another one in its place, which the database keeps. Need not
   * be set after `sluice login`.
   */
  readonly refreshToken: Secret
  /** Where a person lets the client in: for `sluice login`. May have a query of its own. */
  readonly authorizationUrl?: string
  /** Where a code for another device is given: for `sluice login --device`. */
  readonly deviceUrl?: string
}

/**
 * OAuth 2 with a refresh token. An access token is fetched when it is needed, and again before it expires. All
 * processes with one database share it. A refresh token that the server gives in place of the first one is kept in the
 * database, encrypted with SLUICE_KEY, before the access token is used.
 *
 * @example
 * refreshToken({
 *   tokenUrl: 'https://login.example/oauth/token',
 *   clientId: 'sluice',
 *   clientSecret: secret('CRM_CLIENT_SECRET'),
 *   refreshToken: secret('CRM_REFRESH_TOKEN'),
 * })
 */
export const refreshToken = (options: RefreshTokenOptions): Auth => {
  rejectUnknownOptions('refreshToken()', options, OPTIONS)
  const { clientSecret, refreshToken: first } = options
  checkClientSecretIn('refreshToken', options.clientSecretIn)
  return Object.freeze({
    type: 'refresh token',
    ...options,
    ...(clientSecret && { clientSecret: proven('refreshToken', clientSecret) }),
    refreshToken: proven('refreshToken', first),
  })
}

const OPTIONS: OptionNames<RefreshTokenOptions> = {
  tokenUrl: true,
  clientId: true,
  clientSecret: true,
  clientSecretIn: true,
  refreshToken: true,
  scope: true,
  fields: true,
  authorizationUrl: true,
  deviceUrl: true,
}
