import { crontab } from './crontab.ts'
import type { Job, PrintedFile, Setting } from './job.ts'
import { kubernetes } from './kubernetes.ts'
import { systemd } from './systemd.ts'

const printers = { crontab, systemd, kubernetes } as const

/** Schedulers that we write files for. */
export type OtherScheduler = keyof typeof printers

/**
 * Complete files for a scheduler that is there already: each runs `sluice run` for one pipeline. No secret is in them.
 */
export const printSchedule = (scheduler: OtherScheduler, jobs: readonly Job[], setting: Setting): PrintedFile[] =>
  printers[scheduler](jobs, setting)
