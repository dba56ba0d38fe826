import type { Pipeline } from '../../../define/pipeline.ts'
import { startDemoApi } from '../../demo/start-demo-api.ts'
import type { CommandContext, CommonOptions } from '../../execute-command.ts'
import { outputModeOf } from '../../progress/open-progress.ts'
import { runOne } from './run.ts'

/** `sluice demo`: starts a small API on this machine, and runs one pipeline that reads it. */
export async function demoCommand(
  _: [],
  { json = false, ...options }: CommonOptions & { readonly json?: boolean },
  context: CommandContext,
): Promise<number> {
  await using api = await startDemoApi({ signal: context.signal })
  // The pipeline reads this variable when it is imported.
  process.env['SLUICE_DEMO_API'] = api.origin
  const { default: pipeline } = (await import('../../../../pipelines/demo.ts')) as { readonly default: Pipeline }
  const mode = outputModeOf({ json })
  const into = options.database || process.env['DATABASE_URL'] ? 'your database' : 'the embedded PostgreSQL in .sluice/'
  if (mode !== 'json')
    console.log(
      `A demo API with customers, invoices and events runs at ${api.origin}.\n` +
        `It is a little slow, and sometimes rejects a request. Sluice copies its data to\n${into}.\n`,
    )
  const code = await runOne({ pipeline, file: 'pipelines/demo.ts' }, { ...options, mode }, context)
  if (mode !== 'json' && code === 0) console.log(NEXT_STEPS)
  return code
}

const NEXT_STEPS = `
Try next:
  npx sluice demo            again: it reads only what is new
  npx sluice sql "select plan, count(*) from demo.customers group by plan"
  npx sluice runs            list the runs
  npx sluice cursor show     show how far each stream has been read
  npx sluice --help          list all commands`
