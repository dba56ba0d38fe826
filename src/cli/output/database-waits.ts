import { onDatabaseWait } from '../../database/connection/waits.ts'

/** Prints on stderr that a command waits for a database server, and that the server has answered; each once. */
export function printDatabaseWaits(): Disposable {
  const waiting = new Set<string>()
  return onDatabaseWait(({ label, message }) => {
    // Several connections wait at once.
    if (waiting.has(label) === (message !== undefined)) return
    if (message === undefined) waiting.delete(label)
    else waiting.add(label)
    console.error(`sluice: ${message ?? `${label}: the server has answered`}`)
  })
}
