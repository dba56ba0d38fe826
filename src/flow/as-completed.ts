import { Notifier } from './notifier.ts'

/**
 * Yields results in the order in which they complete, and throws a failure in its turn. A consumer that leaves early
 * leaves the rest running; their rejections are handled. Python: `asyncio.as_completed`.
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
  while (open > 0) {
    await notifier.until(() => completed.length > 0)
    for (const result of completed.splice(0)) {
      open--
      if (result.status === 'rejected') throw result.reason
      yield result.value
    }
  }
}
