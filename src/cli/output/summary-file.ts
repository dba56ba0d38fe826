import { access, constants, open, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { UsageError } from '../../model/errors.ts'
import type { Report } from '../../model/report.ts'
import type { Secrets } from '../../model/scope.ts'
import { messageOf } from '../../value/error.ts'

/** What a command did, for programs that look at it afterwards. */
export interface Summary {
  readonly exitCode: number
  readonly startedAt: string
  readonly finishedAt: string
  readonly ms: number
  /** One for each pipeline that could begin. */
  readonly reports: readonly Report[]
  /** What kept a pipeline, or all, from beginning. */
  readonly errors: readonly { readonly pipeline?: string; readonly message: string }[]
}

/**
 * Gathers what becomes of pipelines, and writes it into a file: whoever reads that finds the old one or the new one,
 * never a half.
 */
export class SummaryFile {
  readonly #file: string
  readonly #hide: Secrets['hide']
  readonly #started = new Date()
  readonly #reports: Report[] = []
  readonly #errors: { pipeline?: string; message: string }[] = []

  private constructor(file: string, hide: Secrets['hide']) {
    this.#file = file
    this.#hide = hide
  }

  /** Whether it can be written is known before anything runs. */
  static async open(file: string, { hide }: Pick<Secrets, 'hide'>): Promise<SummaryFile> {
    try {
      await access(dirname(file), constants.W_OK)
    } catch (cause) {
      throw new UsageError(
        `--summary-file ${file}: nothing can be written in ${dirname(file)}/: make the folder, or name another one`,
        { cause },
      )
    }
    return new SummaryFile(file, hide)
  }

  report(report: Report): void {
    this.#reports.push(report)
  }

  error(error: unknown, pipeline?: string): void {
    const message = messageOf(error)
    this.#errors.push({ ...(pipeline !== undefined && { pipeline }), message })
  }

  async write(exitCode: number): Promise<void> {
    const finished = new Date()
    const summary: Summary = {
      exitCode,
      startedAt: this.#started.toISOString(),
      finishedAt: finished.toISOString(),
      ms: finished.getTime() - this.#started.getTime(),
      reports: this.#reports,
      errors: this.#errors,
    }
    // Beside it, since a name can only be changed within one file system; by our process id, since another run may
    // write the same file.
    const temporary = join(dirname(this.#file), `.${basename(this.#file)}.${process.pid}`)
    try {
      {
        await using file = await open(temporary, 'w')
        await file.writeFile(`${JSON.stringify(this.#hide(summary))}\n`)
        await file.sync()
      }
      await rename(temporary, this.#file)
    } catch (cause) {
      await rm(temporary, { force: true })
      throw new Error(`--summary-file ${this.#file} could not be written: ${messageOf(cause)}`, { cause })
    }
  }
}
