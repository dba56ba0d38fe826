import { fork } from 'node:child_process'
import { once } from 'node:events'

/**
 * Starts the API of the measurements as a process.
 *
 * @example
 * using api = await startApi(100_000, 1000)
 */
export async function startApi(
  records: number,
  ...sizes: readonly number[]
): Promise<{ readonly origin: string } & Disposable> {
  const child = fork(new URL('api.ts', import.meta.url), [records, ...sizes].map(String))
  const [{ port }] = (await once(child, 'message')) as [{ port: number }]
  return { origin: `http://127.0.0.1:${port}`, [Symbol.dispose]: () => void child.kill() }
}
