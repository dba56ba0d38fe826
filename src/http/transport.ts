import type { Dispatcher } from 'undici'
import type { Secrets } from '../model/scope.ts'
import type { Time } from './limits/time.ts'

/** Takes the place of the network, for tests: `sluice/testing` answers requests by it. */
export interface Transport {
  /** Returns what the requests of an API are sent by. */
  readonly connect: (api: TransportApi) => Dispatcher
  /** Its waits may end at once. */
  readonly time: Time
  readonly now: () => Date
}

/** The API whose requests are sent. */
export interface TransportApi {
  /** Scheme, host and the beginning of every path. */
  readonly base: string
  readonly secrets: Secrets
  /** The connections to the network. */
  readonly network: Dispatcher
}
