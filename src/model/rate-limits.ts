// Reads the limits of a definition: a rate, a bucket, or several of them at once.
import { defined } from '../value/defined.ts'
import { duration, durationText } from '../value/duration.ts'
import { UsageError } from './errors.ts'
import type { Rate, RateLimit, RateLimits, RequestRate } from './rate-limit.ts'

const UNITS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000 }
const PERIODS: Readonly<Record<string, number>> = {
  second: 1_000,
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
}

/** The most requests that a limit admits at once. */
export const capacityOf = ({ requests, burst = requests }: RequestRate): number => burst

/**
 * Parses `'10/s'`, `'600/m'` or `'0.5/s'`. A fraction means one request in a longer period: `'0.5/s'` is one in two
 * seconds. Throws `UsageError` for anything else.
 */
export function parseRate(rate: string): RequestRate {
  const [, number = '', unit = ''] = /^(\d+(?:\.\d+)?)\/([smh])$/.exec(rate) ?? []
  const requests = Number(number)
  const unitMs = UNITS[unit]
  if (unitMs === undefined || !(requests > 0))
    throw new UsageError(`${JSON.stringify(rate)} is not a rate: write it like '10/s', '600/m', '5000/h' or '0.5/s'`)
  return Number.isInteger(requests) ? { requests, periodMs: unitMs } : { requests: 1, periodMs: unitMs / requests }
}

/** Parses the limits of a definition. Throws `UsageError` for anything else. */
export function parseLimits(limits: RateLimits | undefined): readonly RequestRate[] {
  if (limits === undefined) return []
  const list: readonly (Rate | RateLimit)[] = isList(limits) ? limits : [limits]
  if (list.length === 0) throw new UsageError('the list of rates is empty. Leave the rate out, or give one')
  return list.map((limit) => (typeof limit === 'string' ? parseRate(limit) : parseLimit(limit)))
}

function parseLimit(limit: RateLimit): RequestRate {
  const shown = JSON.stringify(limit)
  if (typeof limit !== 'object' || limit === null)
    throw new UsageError(`${shown} is not a rate: write it like '10/s', or { requests: 100, per: '10s' }`)
  const { requests, per, burst, ...others } = limit
  const [unknown] = Object.keys(others)
  if (unknown !== undefined) throw new UsageError(`a rate has requests, per and burst, and no ${unknown}`)
  for (const [name, value] of Object.entries({ requests, burst: burst ?? 1 }))
    if (!Number.isSafeInteger(value) || value < 1)
      throw new UsageError(`${shown}: ${name} must be a whole number from 1, not ${String(value)}`)
  const periodMs = PERIODS[per] ?? periodOf(per, shown)
  return { requests, periodMs, ...(burst !== undefined && { burst }) }
}

function periodOf(per: string, shown: string): number {
  try {
    const ms = duration(per)
    if (ms > 0) return ms
  } catch {
    /* The error below names the words, too. */
  }
  throw new UsageError(`${shown}: per is 'second', 'minute', 'hour', 'day', or a duration such as '10s'`)
}

/** Returns limits on one line: `10/s`, or `150 in 1m; a bucket of 20, 1 in 1m`. */
export const limitsText = (limits: RateLimits): string =>
  typeof limits === 'string' ? limits : parseLimits(limits).map(textOf).join('; ')

/**
 * Returns limits as all who mean the same have them: each once, in one order, a bucket by its shortest whole period.
 * 60 in a minute are not 1 in a second: they may come all at once.
 */
export function canonicalLimits(limits: RateLimits | undefined): readonly RequestRate[] {
  const byText = new Map(parseLimits(limits).map((limit) => [textOf(reduced(limit)), reduced(limit)]))
  return [...byText].toSorted(([one], [other]) => (one < other ? -1 : 1)).map(([, limit]) => limit)
}

/** Returns the name of a budget with these limits: the same for all limits that mean the same. */
export function limitsKey(limits: RateLimits): string {
  const canonical = canonicalLimits(limits)
  const [{ requests, periodMs, burst } = { requests: 0, periodMs: 0 }, ...others] = canonical
  const [unit] = Object.entries(UNITS).find(([, ms]) => ms === periodMs) ?? []
  // As most definitions write it, and as ledgers of earlier versions have it.
  if (others.length === 0 && burst === undefined && unit !== undefined) return `${requests}/${unit}`
  return canonical.map(textOf).join('; ')
}

function textOf({ requests, periodMs, burst }: RequestRate): string {
  const rate = `${requests} in ${durationText(periodMs)}`
  return burst === undefined ? rate : `a bucket of ${burst}, ${rate}`
}

/** A bucket gains its requests steadily, so 60 in a minute are 1 in a second. */
function reduced({ requests, periodMs, burst }: RequestRate): RequestRate {
  if (burst === undefined || !Number.isInteger(periodMs)) return { requests, periodMs, ...defined({ burst }) }
  const divisor = greatestDivisor(requests, periodMs)
  return { requests: requests / divisor, periodMs: periodMs / divisor, burst }
}

const greatestDivisor = (a: number, b: number): number => (b === 0 ? a : greatestDivisor(b, a % b))

const isList = (limits: RateLimits): limits is readonly (Rate | RateLimit)[] => Array.isArray(limits)
