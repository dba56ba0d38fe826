import { authsIn } from '../../define/secrets-in.ts'
import { withTimeout } from '../../flow/signals/timeout.ts'
import { requestCode } from '../../http/auth/login/authorization-code.ts'
import { requestDevice } from '../../http/auth/login/device-code.ts'
import { openLogin, storeLogin, type LoginOptions } from '../../http/auth/login/login.ts'
import type { TokenResponse } from '../../http/auth/token-request.ts'
import { storedTokens } from '../../ledger/credentials.ts'
import { UsageError } from '../../model/errors.ts'
import type { Api, Auth } from '../../model/request.ts'
import { readSecretKey } from '../../observe/secret-key.ts'
import { readSecrets } from '../../observe/secrets.ts'
import { duration, type Duration } from '../../value/duration.ts'
import { environmentOf } from '../accounts/environment-of.ts'
import type { FoundPipeline } from '../find-pipelines.ts'
import { openStore } from '../open-store.ts'
import { openLoopback } from './loopback.ts'

export interface LoginToOptions {
  /** By a code that is typed on another device. @default false: by a browser of this machine */
  readonly device?: boolean
  /** The port of 127.0.0.1 to which the browser returns. @default 0: any free one */
  readonly port?: number
  /** How long to wait for the person. @default '10m' */
  readonly timeout?: Duration
  readonly database?: string | undefined
  readonly environment?: Readonly<Record<string, string | undefined>>
  readonly signal: AbortSignal
  /** Tells the person what to open. The text holds no secret. */
  readonly show: (text: string) => void
}

export interface LoggedIn {
  /** The variable that may hold the first token. */
  readonly variable: string
  /** The variable is set, and the stored tokens stand in place of its present value. */
  readonly isSet: boolean
  /** Names the database that keeps the tokens. */
  readonly database: string
}

/** Lets a person log in for the `refreshToken()` of a pipeline, and stores the tokens in the ledger. */
export async function login(found: FoundPipeline, options: LoginToOptions): Promise<LoggedIn> {
  const { environment = process.env, database, signal, timeout = '10m' } = options
  const secrets = readSecrets(environmentOf(found.pipeline, environment))
  const { api, auth } = loginOf(found)
  // Before the person does anything.
  readSecretKey(secrets)
  await using store = await openStore({ database, environment, signal })
  const tokens = storedTokens({ database: async () => store.database, secrets })
  await using opened = openLogin(api, { secrets, tokens })
  const response = await withTimeout(
    duration(timeout),
    (limit) => {
      const given = { auth, options: opened.options, signal: limit }
      return options.device ? byDevice(given, options) : byBrowser(given, options)
    },
    { what: 'The login', signal },
  )
  await storeLogin(response, { auth, options: opened.options, signal })
  const variable = auth.refreshToken.secret
  return { variable, isSet: secrets.isSet?.(variable) ?? false, database: store.database.label }
}

async function byBrowser(given: LoginOptions, { port = 0, show }: LoginToOptions): Promise<TokenResponse> {
  await using loopback = await openLoopback(port)
  const request = requestCode(loopback.redirectUri, given)
  show(`Open this address in a browser of this machine, and let Sluice in:\n\n  ${request.url}\n`)
  return await request.exchange(await loopback.code(request.state, given.signal))
}

async function byDevice(given: LoginOptions, { show }: LoginToOptions): Promise<TokenResponse> {
  const { url, code, wholeUrl, wait } = await requestDevice(given)
  const whole = wholeUrl === undefined ? '' : `\nor open:\n\n  ${wholeUrl}\n`
  show(`Open this address on any device, and type the code ${code}:\n\n  ${url}\n${whole}`)
  return wait()
}

type RefreshTokenAuth = Extract<Auth, { type: 'refresh token' }>

/** Returns the only `refreshToken()` of the streams that were named. */
function loginOf({ pipeline, streams }: FoundPipeline): { readonly api: Api; readonly auth: RefreshTokenAuth } {
  const all = Object.entries(pipeline.streams).flatMap(([stream, { recipe }]) =>
    'read' in recipe.source || (streams && !streams.includes(stream))
      ? []
      : authsIn(recipe).flatMap((auth) =>
          auth.type === 'refresh token' && 'api' in recipe.source ? [{ stream, api: recipe.source.api, auth }] : [],
        ),
  )
  const different = Map.groupBy(all, ({ api, auth }) => JSON.stringify([api.base, auth]))
  const [first] = all
  if (!first)
    throw new UsageError(`${pipeline.name}: none of its streams has refreshToken() as its auth, so there is no login`)
  if (different.size > 1) {
    const examples = [...different.values()].flatMap(([one]) => (one ? [`${pipeline.name}.${one.stream}`] : []))
    throw new UsageError(
      `${pipeline.name} has several refreshToken(). Log in for one stream of each: ` +
        examples.map((name) => `sluice login ${name}`).join(', '),
    )
  }
  return first
}
