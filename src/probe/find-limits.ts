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

/** `100;w=60`, and `"default";q=100;w=60`; several of them are separated by commas. */
function rateOf(text: string | undefined): Rate | undefined {
  for (const policy of text?.split(',') ?? []) {
    const quota = Number(/;\s*q=(\d+)/.exec(policy)?.[1] ?? /^\s*(\d+)\s*;/.exec(policy)?.[1])
    const unit = WINDOWS[Number(/;\s*w=(\d+)/.exec(policy)?.[1])]
    if (unit !== undefined && quota > 0) return `${quota}/${unit}`
  }
  return undefined
}
