import type { MemoryAccount } from '../flow/memory-account.ts'
import { MemoryBudget } from '../flow/memory-budget.ts'
import { openClient } from '../http/client.ts'
import type { RunEvent } from '../model/event.ts'
import type { SharedRates } from '../model/rate.ts'
import type { Api } from '../model/request.ts'
import type { Client, Scope, Secrets } from '../model/scope.ts'
import { readSecrets } from '../observe/secrets.ts'

export interface ScopeOptions {
  readonly signal?: AbortSignal | undefined
  /** @default those of the process's environment */
  readonly secrets?: Secrets
  /** Told of each request, retry and wait. @default nobody */
  readonly emit?: (event: RunEvent) => void
  readonly now?: () => Date
  /**
   * Where budgets of requests that other processes share are kept. @default nowhere: each API has one of its own here
   */
  readonly rates?: SharedRates | undefined
  /** What may be held at once. @default an account with a budget of its own, 64 MB of decoded body text */
  readonly memory?: MemoryAccount
}

/** What reading needs, opened for as long as it is held: a client for each API, connected when it is first asked. */
export function openScope({
  signal = new AbortController().signal,
  secrets = readSecrets(process.env),
  emit = () => {},
  now = () => new Date(),
  rates,
  memory = new MemoryBudget(64 << 20).account(),
}: ScopeOptions = {}): Scope & AsyncDisposable {
  const opened = new AsyncDisposableStack()
  const clients = new Map<Api, Client>()
  const client = (api: Api): Client => {
    const known = clients.get(api)
    if (known) return known
    const made = opened.use(openClient(api, { secrets, emit, now, rates }))
    clients.set(api, made)
    return made
  }
  return { signal, now, emit, secrets, client, memory, [Symbol.asyncDispose]: () => opened.disposeAsync() }
}
