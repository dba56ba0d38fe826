import type { Transport } from '../../http/transport.ts'

/**
 * Returns a clock whose waits end at once: it is ahead of the real one by all that was waited for. So a test does not
 * wait before a retry, for a rate, or for a job.
 *
 * @param start The date at which it begins. @default now
 */
export function testTime(start = new Date()): Pick<Transport, 'time' | 'now'> {
  const startedAt = performance.now()
  let skipped = 0
  const clock = (): number => performance.now() + skipped
  return {
    now: () => new Date(start.getTime() + clock() - startedAt),
    time: {
      clock,
      sleep: async (ms, { signal }) => {
        signal.throwIfAborted()
        skipped += ms
        // Lets other work of the process go on, as a wait does.
        await new Promise((resolve) => setImmediate(resolve))
      },
    },
  }
}
