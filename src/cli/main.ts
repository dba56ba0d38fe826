import { Command } from 'commander'

const program = new Command('sluice')
  .description('Keeps tables in PostgreSQL in step with paginated web APIs')
  .version('0.0.0')

program
  .command('run')
  .argument('[pipelines...]', 'names of pipelines in pipelines/, or files')
  .option('--stream <names...>', 'only these streams')
  .option('--full', 'read from the very beginning')
  .option('--json', 'print the report as JSON')
  .option('--overlap <what>', 'where another run reads the same stream: skip, wait or fail', 'fail')
  .option('--batch-rows <n>', 'rows that one transaction stores')
  .action(async (names: string[], options: Record<string, unknown>) => {
    const { runCommand } = await import('./commands/run.ts')
    process.exitCode = await runCommand(names, options)
  })

await program.parseAsync()
