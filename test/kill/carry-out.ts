import { Falls } from './falls.ts'
import type { Job } from './job.ts'
import { Successor } from './successor.ts'

export interface Failure {
  readonly job: Job
  readonly error: unknown
}

export interface Outcome {
  readonly done: number
  readonly failures: readonly Failure[]
  readonly falls: Falls
}

/** Carries out the jobs, several at once, and goes on after a broken promise: all of them are wanted. */
export async function carryOut(
  jobs: readonly Job[],
  {
    atOnce,
    succeed = false,
    falls = new Falls(),
    enough = Infinity,
    ended,
  }: {
    atOnce: number
    /** The runs after a kill share a process. */ succeed?: boolean
    falls?: Falls
    /** Stop after so many failures. */ enough?: number
    ended?: (job: Job, done: number, error?: unknown) => void
  },
): Promise<Outcome> {
  const waiting = jobs.values()
  const failures: Failure[] = []
  let done = 0
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      await using successor = succeed ? new Successor() : undefined
      for (const job of waiting) {
        let fault: unknown
        try {
          const place = await job.run(successor)
          if (place !== undefined) falls.add(place, job.write)
        } catch (error) {
          fault = error
          failures.push({ job, error })
        }
        done++
        ended?.(job, done, fault)
        if (failures.length >= enough) return
      }
    }),
  )
  return { done, failures, falls }
}
