import type { Pipeline } from '../../../define/pipeline.ts'
import { startDemoApi } from '../../demo/start-demo-api.ts'
import type { CommonOptions, CommandContext } from '../../execute-command.ts'
import { outputModeOf } from '../../progress/open-progress.ts'
import { runOne } from './run.ts'

/** `sluice demo`: an API on loopback, and one run that reads it. */
export async function demoCommand(
  _: [],
  { json = false, ...options }: CommonOptions & { readonly json?: boolean },
  context: CommandContext,
): Promise<number> {
  await using api = await startDemoApi({ signal: context.signal })
  // The pipeline looks here for its API when it is imported.
  process.env['SLUICE_DEMO_API'] = api.origin
  const { default: pipeline } = (await import('../../../../pipelines/demo.ts')) as { readonly default: Pipeline }
  const mode = outputModeOf({ json, people: true })
  const into = options.database || process.env['DATABASE_URL'] ? 'your database' : 'the embedded PostgreSQL in .sluice/'
  if (mode !== 'json')
    console.log(
      `An API with customers, invoices and events answers at ${api.origin},\na bit slow, and now and then too busy. Sluice reads it into\n${into}.\n`,
    )
  const code = await runOne({ pipeline, file: 'pipelines/demo.ts' }, { ...options, mode }, context)
  if (mode !== 'json' && code === 0) console.log(nextThings())
  return code
}

function nextThings(): string {
  return `
To try next:
  ${called} demo            once more: it reads on from where it was
  ${called} sql "select plan, count(*) from demo.customers group by plan"
  ${called} runs            what has run
  ${called} cursor show     how far each stream has come
  ${called} --help          all commands`
}

/** How whoever reads this has called us. */
const called = 'npx sluice'
