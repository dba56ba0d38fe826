import type { RunEvent } from '../../model/event.ts'
import { plainProgress } from './plain-progress.ts'
import type { Progress } from './progress-tracker.ts'

export interface RunsProgress extends Disposable {
  readonly on: (pipeline: string, event: RunEvent) => void
}

/** Prints the events of the runs of a scheduler as lines of text, each request too. */
export function runsProgress(print: (line: string) => void): RunsProgress {
  const running = new Map<string, Progress>()
  const end = (pipeline: string): void => {
    running.get(pipeline)?.[Symbol.dispose]()
    running.delete(pipeline)
  }
  return {
    on(pipeline, event) {
      if (event.type === 'run.started') {
        // A run that lost its database ends without an event.
        end(pipeline)
        running.set(pipeline, plainProgress(event.streams, print, { prefix: `${pipeline}.`, verbose: true }))
      }
      running.get(pipeline)?.on(event)
      if (event.type === 'run.finished') end(pipeline)
    },
    [Symbol.dispose]() {
      for (const pipeline of running.keys()) end(pipeline)
    },
  }
}
