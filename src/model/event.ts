import type { Counts } from './batch.ts'

/** What happened, as it happens; `run` gathers these into the report, and others show them. No event holds a secret. */
export type RunEvent =
  | { readonly type: 'run started'; readonly run: string; readonly pipeline: string; readonly streams: readonly string[] }
  | { readonly type: 'slice started'; readonly stream: string; readonly slice: string; readonly resumed: boolean; readonly since?: string | undefined }
  | { readonly type: 'request'; readonly stream: string; readonly method: string; readonly url: string; readonly status: number; readonly bytes: number; readonly ms: number }
  | { readonly type: 'retry'; readonly stream: string; readonly attempt: number; readonly reason: string; readonly waitMs: number }
  | { readonly type: 'waiting'; readonly stream: string; readonly for: 'rate limit' | 'retry-after' | 'memory' | 'lock' | 'database'; readonly ms: number }
  | { readonly type: 'batch'; readonly stream: string; readonly slice: string; readonly seq: number; readonly pages: number; readonly bytes: number; readonly ms: number; readonly counts: Counts }
  | { readonly type: 'shape'; readonly stream: string; readonly table: string; readonly change: string }
  | { readonly type: 'warning'; readonly stream?: string; readonly message: string }
  | { readonly type: 'slice finished'; readonly stream: string; readonly slice: string; readonly counts: Counts }
  | { readonly type: 'stream failed'; readonly stream: string; readonly error: string }
  | { readonly type: 'run finished'; readonly run: string; readonly status: 'done' | 'failed' | 'interrupted' }
