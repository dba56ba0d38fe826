import type { FullSchedule } from '../../../define/schedule/schedule.ts'

/** One pipeline, as another scheduler is to run it. */
export interface Job {
  readonly pipeline: string
  readonly schedule: FullSchedule
  /** What `sluice run` is called with: a name or a file. */
  readonly word: string
  /** Names of the secrets that it is known to need. */
  readonly secrets: readonly string[]
}

/** Where and how jobs run. */
export interface Setting {
  /** The folder that `pipelines/` and `.env` are in. */
  readonly cwd: string
  /** The names of the variables that `.env` sets. */
  readonly variables: readonly string[]
  /** What starts `sluice`: absolute paths and flags. */
  readonly program: readonly string[]
  /** Of one run, as `'6h'`. */
  readonly timeout: string
  readonly timeoutMs: number
  /** For kubernetes: what the containers are made of. */
  readonly image: string
}

/** A file to be put in its place, or printed. */
export interface PrintedFile {
  readonly name: string
  readonly text: string
}

/** The words after `sluice`. */
export const wordsOf = ({ word, schedule }: Job, { timeout }: Setting, ...more: readonly string[]): string[] => [
  'run',
  word,
  '--overlap',
  schedule.overlap,
  '--timeout',
  timeout,
  ...more,
]

/**
 * `sluice-billing`, as other programs admit it; two pipelines that differ in case or underscores only are told apart by
 * a number.
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

/** Says which variables `.env` has to set, and which of them it does not set yet. */
export function environmentText(jobs: readonly Job[], { cwd, variables }: Setting): string {
  const missing = variablesOf(jobs).filter((name) => !variables.includes(name))
  return `${cwd}/.env must set ${variablesText(jobs)}${missing.length === 0 ? '' : ` (not set yet: ${missing.join(', ')})`}`
}

const variablesOf = (jobs: readonly Job[]): string[] => [
  'DATABASE_URL',
  ...new Set(jobs.flatMap(({ secrets }) => secrets)),
]

/** Whole seconds. */
export const secondsOf = (ms: number): number => Math.max(1, Math.ceil(ms / 1_000))

/** For a shell: wait by chance, at most so long. */
export const sleepUpTo = (ms: number): string => `sleep $(( $(od -An -N2 -tu2 /dev/urandom) % ${secondsOf(ms)} ))`
