import { UsageError } from '../model/errors.ts'
import type { Api } from '../model/request.ts'
import { redactUrl } from '../observe/redact.ts'
import { duration } from '../value/duration.ts'
import { messageOf } from '../value/error.ts'
import { parseSize } from '../value/size.ts'
import { readAddresses, type Addresses } from './address.ts'

/** An API's options with their defaults, as numbers. */
export interface Settings {
  readonly addresses: Addresses
  /** Requests at once. */
  readonly concurrency: number
  /** Tries of one request, including the first. */
  readonly attempts: number
  /** Size limit of a decoded body. */
  readonly maxPageBytes: number
  /** Time limit of one try, from sending to the last byte. */
  readonly timeoutMs: number
}

/** Reads the options of an API. Throws `UsageError` for an invalid one. */
export function readSettings(api: Api): Settings {
  const { base, concurrency = 8, attempts = 5, maxPageSize = '64MB', timeout = '60s' } = api
  for (const [name, value] of Object.entries({ concurrency, attempts })) {
    if (!Number.isSafeInteger(value) || value < 1)
      throw new UsageError(`${redactUrl(base)}: ${name} must be a whole number of at least 1, not ${value}`)
  }
  return {
    addresses: readAddresses(api),
    concurrency,
    attempts,
    maxPageBytes: parsed('maxPageSize', () => parseSize(maxPageSize)),
    timeoutMs: parsed('timeout', () => duration(timeout)),
  }
}

function parsed(name: string, parse: () => number): number {
  try {
    return parse()
  } catch (error) {
    throw new UsageError(`the API's ${name}: ${messageOf(error)}`, { cause: error })
  }
}
