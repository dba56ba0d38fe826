import type { FullSchedule } from '../../../define/schedule/schedule.ts'

/** A pipeline that another scheduler runs. */
export interface Job {
  readonly pipeline: string
  readonly schedule: FullSchedule
  /** The argument of `sluice run`: a name or a file. */
  readonly word: string
  /** Names of the secrets that the pipeline declares. */
  readonly secrets: readonly string[]
}

/** The folder, the program and the limits of all jobs. */
export interface Setting {
  /** The folder that `pipelines/` and `.env` are in. */
  readonly cwd: string
  /** The names of the variables that `.env` sets. */
  readonly variables: readonly string[]
  /** The command that starts `sluice`: absolute paths and flags. */
  readonly program: readonly string[]
  /** Let workers read the streams. @default false */
  readonly distribute?: boolean
  /** Limit of one run, such as `'6h'`. */
  readonly timeout: string
  readonly timeoutMs: number
  /** Kubernetes only: the image of the containers. */
  readonly image: string
}

/** A file to write or to print. */
export interface PrintedFile {
  readonly name: string
  readonly text: string
}

/** Returns the arguments of `sluice`. */
export const wordsOf = (
  { word, schedule }: Job,
  { timeout, distribute = false }: Setting,
  ...more: readonly string[]
): string[] => [
  'run',
  word,
  '--overlap',
  schedule.overlap,
  '--timeout',
  timeout,
  ...(distribute ? ['--distribute'] : []),
  ...more,
]

/**
 * Returns a name such as `sluice-billing` for each job, of characters that the schedulers accept. Jobs whose names
 * differ only in case or underscores get a number.
 */
export function unitNames(jobs: readonly Job[]): Map<Job, string> {
  const taken = new Set<string>()
  return new Map(
    jobs.map((job) => {
      const plain = `sluice-${job.pipeline
        .toLowerCase()
        .replace(/[^a-z0-9]+/g, '-')
        .replace(/^-+|-+$/g, '')}`
        .slice(0, 48)
        .replace(/-+$/, '')
      let name = plain
      for (let number = 2; taken.has(name); number += 1) name = `${plain}-${number}`
      taken.add(name)
      return [job, name]
    }),
  )
}

/** Returns the names of the variables that jobs need, without their values. */
export const variablesText = (jobs: readonly Job[]): string => variablesOf(jobs).join(', ')

/** Returns a sentence with the variables that `.env` must set, and those that it does not set yet. */
export function environmentText(jobs: readonly Job[], { cwd, variables }: Setting): string {
  const missing = variablesOf(jobs).filter((name) => !variables.includes(name))
  const rest = missing.length === 0 ? '' : ` (not set yet: ${missing.join(', ')})`
  return `${cwd}/.env must set ${variablesText(jobs)}${rest}`
}

const variablesOf = (jobs: readonly Job[]): string[] => [
  'DATABASE_URL',
  ...new Set(jobs.flatMap(({ secrets }) => secrets)),
]

/** Returns whole seconds, at least 1. */
export const secondsOf = (ms: number): number => Math.max(1, Math.ceil(ms / 1_000))

/** Returns a shell command that waits for a random time up to `ms`. */
export const sleepUpTo = (ms: number): string => `sleep $(( $(od -An -N2 -tu2 /dev/urandom) % ${secondsOf(ms)} ))`
