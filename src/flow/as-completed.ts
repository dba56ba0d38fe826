import { Notifier } from './notifier.ts'

/**
 * Each answer as it comes, in order of completion; a failure is thrown in its turn. Python: `asyncio.as_completed`.
 * Whoever leaves early leaves the rest running, but no rejection of theirs goes unhandled.
 */
export async function* asCompleted<T>(work: Iterable<T>): AsyncGenerator<Awaited<T>, void, undefined> {
  const completed: PromiseSettledResult<Awaited<T>>[] = []
  const notifier = new Notifier()
  const complete = (result: PromiseSettledResult<Awaited<T>>): void => {
    completed.push(result)
    notifier.notify()
  }
  let open = 0
  for (const task of work) {
    open++
    Promise.resolve(task).then(
      (value) => complete({ status: 'fulfilled', value }),
      (reason: unknown) => complete({ status: 'rejected', reason }),
    )
  }
  for (; open > 0; open--) {
    await notifier.until(() => completed.length > 0)
    const result = completed.shift()!
    if (result.status === 'rejected') throw result.reason
    yield result.value
  }
}
