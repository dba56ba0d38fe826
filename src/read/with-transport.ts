// Functions of a pipeline open clients of their own, by `.fetch()`. So a transport travels with the asynchronous calls.
import { AsyncLocalStorage } from 'node:async_hooks'
import type { Transport } from '../http/transport.ts'

const storage = new AsyncLocalStorage<Transport>()

/** Calls `work`. All requests that it makes, at any depth, are sent by the transport. */
export const withTransport = <T>(transport: Transport, work: () => T): T => storage.run(transport, work)

/** Returns undefined for the network. */
export const currentTransport = (): Transport | undefined => storage.getStore()
