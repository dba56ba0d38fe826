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
  const [{ port }] = await Promise.race([
    once(child, 'message') as Promise<[{ port: number }]>,
    once(child, 'exit').then(() => {
      throw new Error('the API of the measurements ended at its start')
    }),
  ])
  return { origin: `http://127.0.0.1:${port}`, [Symbol.dispose]: () => void child.kill() }
}
