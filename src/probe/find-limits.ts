// What the headers of a response say of rate limits.
import type { Rate } from '../model/request.ts'
import type { Answer } from './send.ts'

export interface FoundLimits {
  /** As many requests as the API admits, if it says so for a second, a minute or an hour. */
  readonly rate?: Rate
  /** The headers, for people. */
  readonly text: string
}

const WINDOWS: Readonly<Record<number, 's' | 'm' | 'h'>> = { 1: 's', 60: 'm', 3600: 'h' }

/** Returns the limits that headers state; undefined if they state none. */
export function findLimits({ headers }: Pick<Answer, 'headers'>): FoundLimits | undefined {
  const stated = Object.entries(headers).filter(
    ([name, value]) => value !== undefined && /^(x-)?rate-?limit/i.test(name),
  )
  if (stated.length === 0) return undefined
  const text = stated.map(([name, value]) => `${name}: ${value}`).join(', ')
  const rate = rateOf(headers['ratelimit-policy']) ?? rateOf(headers['ratelimit-limit'])
  return { text, ...(rate && { rate }) }
}

/** `100;w=60`, and `"default";q=100;w=60`. */
function rateOf(policy: string | undefined): Rate | undefined {
  if (policy === undefined) return undefined
  const [first = ''] = policy.split(/,\s*(?=["\d])/)
  const quota = /;\s*q=(\d+)/.exec(first)?.[1] ?? /(?:^|,\s*)(\d+)\s*;/.exec(first)?.[1]
  const window = /;\s*w=(\d+)/.exec(first)?.[1]
  const unit = WINDOWS[Number(window)]
  return quota === undefined || unit === undefined || Number(quota) === 0 ? undefined : `${Number(quota)}/${unit}`
}
