// Opens what reading needs: clients, secrets, memory and events.
import type { MemoryAccount } from '../flow/memory-account.ts'
import { MemoryBudget } from '../flow/memory-budget.ts'
import { openClient } from '../http/client.ts'
import type { AccountOf } from '../model/account.ts'
import type { RunEvent } from '../model/event.ts'
import type { SharedRates } from '../model/rate.ts'
import type { Api } from '../model/request.ts'
import type { Client, Scope, Secrets } from '../model/scope.ts'
import type { TokenStore } from '../model/tokens.ts'
import { readSecrets } from '../observe/secrets.ts'
import { currentTransport } from './with-transport.ts'

/** Decoded body text that may be held at the same time, in bytes. */
const DEFAULT_MEMORY = 64 << 20

export interface ScopeOptions {
  readonly signal?: AbortSignal | undefined
  /** @default the secrets in the environment of the process */
  readonly secrets?: Secrets
  /** Receives an event for each request, retry and wait. @default events are dropped */
  readonly emit?: (event: RunEvent) => void
  readonly now?: () => Date
  /** Request budgets that all processes share. @default each API has a budget of this process */
  readonly rates?: SharedRates | undefined
  /** The account that is read. It has budgets of its own. @default none */
  readonly account?: AccountOf | undefined
  /** Keeps refresh tokens for all processes. @default none: `refreshToken()` throws */
  readonly tokens?: TokenStore | undefined
  /** @default an account of a new budget of 64 MB of decoded body text */
  readonly memory?: MemoryAccount
}

/** Opens a client for each API at its first request. Disposing closes the clients. */
export function openScope({
  signal = new AbortController().signal,
  secrets = readSecrets(process.env),
  emit = () => {},
  now: ownNow,
  rates,
  account,
  tokens,
  memory = new MemoryBudget(DEFAULT_MEMORY).account(),
}: ScopeOptions = {}): Scope & AsyncDisposable {
  const transport = currentTransport()
  const now = ownNow ?? transport?.now ?? (() => new Date())
  const resources = new AsyncDisposableStack()
  const clients = new Map<Api, Client>()
  const client = (api: Api): Client => {
    const options = { secrets, emit, now, rates, account, tokens, transport }
    const open = clients.get(api) ?? resources.use(openClient(api, options))
    clients.set(api, open)
    return open
  }
  const sleep = transport && { sleep: transport.time.sleep }
  return { signal, now, ...sleep, emit, secrets, client, memory, [Symbol.asyncDispose]: () => resources.disposeAsync() }
}
