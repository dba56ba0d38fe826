import { access, constants, open, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { UsageError } from '../../model/errors.ts'
import type { Report } from '../../model/report.ts'
import type { Secrets } from '../../model/scope.ts'
import { messageOf } from '../../value/error.ts'
import { defined } from '../../value/defined.ts'

/** The result of a command, for programs. */
export interface Summary {
  readonly exitCode: number
  readonly startedAt: string
  readonly finishedAt: string
  readonly ms: number
  /** One for each pipeline that started. */
  readonly reports: readonly Report[]
  /** Errors that prevented a pipeline, or all pipelines, from starting. */
  readonly errors: readonly { readonly pipeline?: string; readonly message: string }[]
}

/** Collects the results of pipelines and writes them to a file. A reader never sees a part of a file. */
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

  /** Throws if the folder cannot be written to, before anything runs. */
  static async open(file: string, { hide }: Pick<Secrets, 'hide'>): Promise<SummaryFile> {
    try {
      await access(dirname(file), constants.W_OK)
    } catch (cause) {
      throw new UsageError(
        `--summary-file ${file}: ${dirname(file)}/ is missing or not writable; create the folder, or choose another`,
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
    this.#errors.push({ ...defined({ pipeline }), message })
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
    // In the same folder, because a rename works only within one file system. With our process id, because another run
    // may write the same file.
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
