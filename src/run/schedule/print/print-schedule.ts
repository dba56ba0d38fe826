import { crontab } from './crontab.ts'
import type { Job, PrintedFile, Setting } from './job.ts'
import { kubernetes } from './kubernetes.ts'
import { systemd } from './systemd.ts'

const PRINTERS = { crontab, systemd, kubernetes } as const

/** Schedulers for which files can be printed. */
export type OtherScheduler = keyof typeof PRINTERS

/** Returns the files for another scheduler, which starts `sluice run` for each pipeline. They hold no secrets. */
export const printSchedule = (scheduler: OtherScheduler, jobs: readonly Job[], setting: Setting): PrintedFile[] =>
  PRINTERS[scheduler](jobs, setting)
