import type { Report } from '../../model/report.ts'

/** A pipeline that a worker cannot work on, and why. */
export interface LackedPipeline {
  readonly pipeline: string
  readonly reason: string
}

/** An event of a worker. */
export type WorkerEvent =
  | {
      readonly type: 'worker.started'
      readonly worker: string
      readonly concurrency: number
      readonly pipelines: readonly { readonly pipeline: string; readonly version: string }[]
    }
  /** The worker has the definition, but cannot work with it, such as for a missing secret. Others may. */
  | ({ readonly type: 'pipeline.lacked' } & LackedPipeline)
  /** Work waits that this worker cannot take, because it does not have this version of the pipeline. */
  | {
      readonly type: 'work.left'
      readonly pipeline: string
      readonly version: string
      /** The version that this worker has. Absent if it does not have the pipeline. */
      readonly own?: string | undefined
      readonly waiting: number
    }
  /** `window`: the lower bound of a window of a backfill. */
  | { readonly type: 'piece.started'; readonly pipeline: string; readonly stream: string; readonly window?: string }
  | {
      readonly type: 'piece.finished'
      readonly pipeline: string
      readonly stream: string
      readonly window?: string
      /** Absent if another process had done it. */
      readonly run?: string | undefined
      readonly status: Report['status']
      readonly ms: number
      readonly fetched: number
      /** The number of inserted and updated rows. */
      readonly stored: number
      readonly rejected: number
      readonly error?: string | undefined
    }
  /** The piece was not finished here, and goes on elsewhere. */
  | {
      readonly type: 'piece.left'
      readonly pipeline: string
      readonly stream: string
      readonly window?: string
      readonly reason: string
    }
  | { readonly type: 'warning'; readonly message: string }
  | { readonly type: 'worker.stopped'; readonly reason: string }
