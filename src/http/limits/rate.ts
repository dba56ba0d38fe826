import { UsageError } from '../../model/errors.ts'

const PERIODS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000 }

/** What `'10/s'` means: so many requests within so many milliseconds; less than one request is one in a longer time. */
export function readRate(rate: string): { readonly requests: number; readonly periodMs: number } {
  const [, number = '', unit = ''] = /^(\d+(?:\.\d+)?)\/([smh])$/.exec(rate) ?? []
  const requests = Number(number)
  const period = PERIODS[unit]
  if (!period || !(requests > 0))
    throw new UsageError(`${JSON.stringify(rate)} is no rate: write it like '10/s', '600/m' or '5000/h'`)
  return Number.isInteger(requests) ? { requests, periodMs: period } : { requests: 1, periodMs: period / requests }
}
