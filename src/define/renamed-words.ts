import { UsageError } from '../model/errors.ts'

/**
 * Throws for the first option that still has its former name, so that an option is never ignored in silence.
 *
 * @example
 * rejectRenamedWords('serve()', options, { hosts: 'allowedHosts' }) // serve(): hosts is now allowedHosts
 */
export function rejectRenamedWords(place: string, options: unknown, renamed: Readonly<Record<string, string>>): void {
  if (typeof options !== 'object' || options === null) return
  for (const [former, now] of Object.entries(renamed))
    if (Object.hasOwn(options, former)) throw new UsageError(`${place}: ${former} is now ${now}`)
}

/**
 * A function that always throws. Its type is its message, so the compiler's error names the new word too: a text cannot
 * be called.
 */
const renamed = <Message extends string>(message: Message): Message =>
  (() => {
    throw new UsageError(message)
  }) as unknown as Message

/** @deprecated Renamed to `source`. */
export const stream = renamed('stream() is now source()')
/** @deprecated Renamed to `describePipeline`. */
export const describe = renamed('describe() is now describePipeline()')
/** @deprecated Renamed to `isoDate`. */
export const date = renamed('date() is now isoDate()')
/** @deprecated Renamed to `readStatus`. */
export const status = renamed('status() is now readStatus()')
/** @deprecated Renamed to `runSchedule`. */
export const schedule = renamed('schedule() is now runSchedule()')
/** @deprecated Use `apiKey`. */
export const header = renamed("header(name, value) is now apiKey(value, { header: 'name' })")
/** @deprecated Use `setTimeout` of `node:timers/promises`. */
export const sleep = renamed('sleep() is no longer exported: import setTimeout from node:timers/promises')

/** @deprecated Renamed to `PageRequest`. */
export type Asked = 'Asked is now PageRequest'
/** @deprecated Renamed to `ApiResponse`. */
export type Answer<_Body> = 'Answer is now ApiResponse'
