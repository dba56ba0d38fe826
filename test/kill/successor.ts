import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { run, type Pipeline } from '../../src/index.ts'
import { BrokenPromise } from './broken-promise.ts'
import { deletionsPipeline, type DeletionsSettings } from './deletions/pipeline.ts'
import { killPipeline } from './kill-pipeline.ts'
import { rangesPipeline, type RangesSettings } from './ranges-pipeline.ts'
import type { Ended, RunSettings } from './sluice.ts'

/** A run of one of the harness's pipelines. */
export type SuccessorRun = { readonly database: string; readonly batchRows: number } & (
  | Pick<RunSettings, 'api' | 'write'>
  | { readonly ranges: RangesSettings }
  | { readonly deletions: DeletionsSettings }
)

/** Milliseconds after which a run is taken to hang. */
const LIMIT = 120_000

/**
 * A process that carries out the runs after a kill, one after another, by importing Sluice: a process for each of them
 * would cost half of the harness's time. What is killed is always a process of its own.
 */
export class Successor implements AsyncDisposable {
  #child = started()
  #last: Promise<unknown> = Promise.resolve()

  run(settings: SuccessorRun): Promise<Ended> {
    const ended = this.#last.then(async () => {
      this.#child.send(settings)
      try {
        const [answer] = (await once(this.#child, 'message', { signal: AbortSignal.timeout(LIMIT) })) as [Ended]
        return answer
      } catch {
        // A late reply is ignored.
        this.#child.kill('SIGKILL')
        this.#child = started()
        throw new BrokenPromise(`a run after the kill has not ended within ${LIMIT / 1_000} s`)
      }
    })
    this.#last = ended.catch(() => undefined)
    return ended
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#last
    this.#child.disconnect()
    await once(this.#child, 'exit')
  }
}

const started = (): ChildProcess =>
  fork(fileURLToPath(import.meta.url), {
    execArgv: ['--disable-warning=ExperimentalWarning'],
    serialization: 'advanced',
  })

function pipelineOf(settings: SuccessorRun): Pipeline {
  if ('ranges' in settings) return rangesPipeline(settings.ranges)
  return 'deletions' in settings ? deletionsPipeline(settings.deletions) : killPipeline(settings)
}

/** Carries out a run in this process. */
export async function carriedOut(settings: SuccessorRun): Promise<Ended> {
  const { database, batchRows } = settings
  try {
    const report = await run(pipelineOf(settings), {
      database,
      batch: { rows: batchRows },
      environment: {},
      throwOnFailure: false,
    })
    return { code: report.status === 'done' ? 0 : 1, signal: null, stdout: JSON.stringify(report), stderr: '', report }
  } catch (error) {
    return {
      code: 2,
      signal: null,
      stdout: '',
      stderr: error instanceof Error ? `${error.stack}` : String(error),
      report: undefined,
    }
  }
}

// In the process itself; no other module is started by fork.
if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.on('message', (settings: SuccessorRun) => void carriedOut(settings).then((ended) => process.send?.(ended)))
  // The harness is gone, be it by a kill of its own.
  process.on('disconnect', () => process.exit())
}
