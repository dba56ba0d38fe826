import { spawn } from 'node:child_process'
import { join } from 'node:path'
import type { Report } from '../src/model/report.ts'

export interface Ran {
  readonly report: Report
  /** Processor seconds. */
  readonly processorTime: number
}

/** Runs `sluice run bench/pipeline.ts` as a process. The pipeline reads `settings` from its environment. */
export async function runSluice(
  url: string,
  settings: Readonly<Record<string, string>>,
  nodeOptions: readonly string[] = [],
): Promise<Ran> {
  const child = spawn(
    process.execPath,
    [
      '--max-semi-space-size=16',
      ...nodeOptions,
      '--import',
      new URL('processor-time-at-exit.ts', import.meta.url).href,
      'src/cli/main.ts',
      'run',
      'bench/pipeline.ts',
      '--json',
    ],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
      cwd: join(import.meta.dirname, '..'),
      env: { ...process.env, DATABASE_URL: url, ...settings },
    },
  )
  const [out = '', errors = ''] = await Promise.all(
    [child.stdout, child.stderr].map(async (stream) =>
      Buffer.concat(await Array.fromAsync(stream as AsyncIterable<Buffer>)).toString(),
    ),
  )
  const report = parsed(out)
  if (report?.status !== 'done') throw new Error(`the run failed: ${out}${errors}`)
  return { report, processorTime: Number(/processor time (\S+)/.exec(errors)?.[1]) }
}

function parsed(out: string): Report | undefined {
  try {
    return JSON.parse(out.trim().split('\n').at(-1) ?? '') as Report
  } catch {
    return undefined
  }
}
