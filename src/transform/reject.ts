import { rejectionOf } from '../model/errors.ts'
import { originOf, type Working } from './working.ts'

/** Reject one record for what a stage threw on it; or throw, where it was not the record's fault. */
export function reject(page: Working, place: number, stage: string, error: unknown, signal: AbortSignal): void {
  signal.throwIfAborted()
  const reason = rejectionOf(error)
  if (reason === undefined) throw error
  page.rejects.push({ stage, reason, record: originOf(page, place), ...(page.parents && { parents: page.parents }) })
}
