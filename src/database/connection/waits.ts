// Who waits for a database server. A command would otherwise be silent for as long as connecting is retried.
import { channel } from 'node:diagnostics_channel'
import { durationText } from '../../value/duration.ts'

/** A wait for a server: that it goes on, and later that the server has answered. */
export interface DatabaseWait {
  /** Names the database, without its password. */
  readonly label: string
  /** The wait as a sentence; undefined when the server has answered. */
  readonly message: string | undefined
}

/** Every wait of this process that lasts longer than a few seconds. Its messages are of the type `DatabaseWait`. */
const waits = channel('sluice.database.waits')

/** Calls a listener for each wait for a database server in this process, until it is disposed. */
export function onDatabaseWait(listener: (wait: DatabaseWait) => void): Disposable {
  const receive = (message: unknown): void => listener(message as DatabaseWait)
  waits.subscribe(receive)
  return { [Symbol.dispose]: () => waits.unsubscribe(receive) }
}

export interface WaitNoticeOptions {
  readonly label: string
  /** Milliseconds for which connecting is retried. */
  readonly timeoutMs: number
  /** Milliseconds without a connection after which the wait is told. */
  readonly noticeMs: number
  /** Returns what is wrong with the server; undefined if the wait is for something else. */
  readonly problem: () => string | undefined
}

/** Tells of one wait, if it lasts. Call `reached` when there is a connection; disposing it ends the wait in silence. */
export function waitNotice(options: WaitNoticeOptions): { readonly reached: () => void } & Disposable {
  const { label, timeoutMs, noticeMs, problem } = options
  let isTold = false
  const timer = setInterval(() => {
    const text = problem()
    if (text === undefined) return
    clearInterval(timer)
    isTold = true
    const message = `${label}: ${text}; waits for it, ${durationText(timeoutMs)} at most`
    waits.publish({ label, message } satisfies DatabaseWait)
  }, noticeMs)
  return {
    reached: () => {
      if (isTold) waits.publish({ label, message: undefined } satisfies DatabaseWait)
    },
    [Symbol.dispose]: () => clearInterval(timer),
  }
}
