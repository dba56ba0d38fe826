import { described, flag, list, nullable, number, object, text, type Infer } from './schema.ts'

// Workers and what waits for them, as `sluice status` shows them.

const time = described(text, 'A moment, in UTC')

const piece = object({
  run: text,
  pipeline: text,
  stream: text,
  window: described(nullable(object({ from: time, to: time })), 'The window of a backfill; null for a stream of a run'),
  since: time,
})

const worker = object({
  worker: text,
  host: text,
  pid: number,
  concurrency: described(number, 'Pieces of work that it does at once'),
  draining: described(flag, 'It was asked to end, and takes no more work'),
  startedAt: time,
  seenAt: time,
  pieces: described(list(piece), 'What it does now, the oldest first'),
})
/** A process of `sluice worker`. */
export type Worker = Infer<typeof worker>

const waiting = object({
  pipeline: text,
  version: text,
  pieces: number,
  since: described(time, 'Since when the oldest piece has waited'),
  workers: described(list(text), 'The workers that take them; empty: no worker has that version'),
})
/** Pieces of work that wait for one version of a pipeline. */
export type Waiting = Infer<typeof waiting>

const WORK = {
  workers: described(list(worker), 'The workers that are alive, the oldest first'),
  waiting: described(
    nullable(list(waiting)),
    'By pipeline and version; null if the user of the database may not read the schema of the jobs',
  ),
}
/** The workers that are alive, what each does, and what waits for one. */
export const work = object(WORK)
export type Work = Infer<typeof work>

/** The same, and when it was so. */
export const workNow = object({ at: time, ...WORK })
