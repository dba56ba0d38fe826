import { type Command, Option } from 'commander'
import {
  addCommand,
  addGroup,
  addRenamedOption,
  commandHandler,
  parseDuration,
  parseMemory,
  parsePort,
  wholeNumber,
} from './add-command.ts'

/** Adds the commands that wait or tell: schedule, serve, worker, login, notify. */
export function addServiceCommands(sluice: Command): void {
  addCommand(
    sluice,
    'schedule',
    'Run pipelines at their scheduled times until it is stopped, or print files for another scheduler.',
  )
    .argument('[pipelines...]', 'names or files (default: all in pipelines/ that have a schedule)')
    .addOption(
      new Option(
        '--catch-up <mode>',
        'ticks to run that were missed (default: as each pipeline says, else last)',
      ).choices(['all', 'last', 'none']),
    )
    .addOption(
      new Option(
        '--overlap <mode>',
        'if the pipeline is still running at a tick (default: as each pipeline says, else skip)',
      ).choices(['skip', 'wait', 'fail']),
    )
    .option(
      '--timeout <duration>',
      'stop a run after this time, as in 30m; the next run continues (default in printed files: 6h)',
      parseDuration,
    )
    .option('--concurrency <n>', 'pipelines to run at the same time (default: 4)', wholeNumber(1))
    .option('--distribute', 'let workers read the streams (sluice worker); without one that can, read them here')
    .addOption(
      new Option('--print <scheduler>', 'print complete files for another scheduler, and run nothing').choices([
        'crontab',
        'systemd',
        'kubernetes',
      ]),
    )
    .option('--into <folder>', 'with --print: write the files to this folder')
    .option('--image <name>', 'with --print kubernetes: image of the containers (default: sluice:latest)')
    .option('--json', 'print one line of JSON for each event')
    .action(commandHandler(async () => (await import('../commands/service/schedule.ts')).scheduleCommand))

  const serve = addCommand(
    sluice,
    'serve',
    'Show current and past runs live, as a page and an API. Runs can be started, cancelled and repeated there.',
  )
    .argument('[pipelines...]', 'names or files (default: all of pipelines/)')
    .addOption(new Option('--port <n>', '0 takes any free port').argParser(parsePort).default(8420))
    .addOption(
      new Option('--host <address>', 'address to listen on; beyond this machine a token is required').default(
        '127.0.0.1',
      ),
    )
    .option('--allowed-host <names...>', 'host names under which clients reach the server, as behind a proxy')
    .option('--token-from <name>', 'environment variable that holds the token (default: SLUICE_TOKEN)')
    .option('--schedule', 'also run the pipelines that have a schedule, at their times, and accounts that are added')
    .option('--distribute', 'let workers read what is started here (sluice worker); without one that can, read it here')
    .action(commandHandler(async () => (await import('../commands/service/serve.ts')).serveCommand))
  addRenamedOption(serve, 'allow-host', 'allowed-host')

  addCommand(sluice, 'worker', 'Do the work that other processes hand out with --distribute, until it is stopped.')
    .argument('[pipelines...]', 'names or files to work on (default: all of pipelines/)')
    .option('--concurrency <n>', 'streams and windows to read at the same time (default: 4)', wholeNumber(1))
    .option('--memory <size>', 'memory for decoded pages of all of them together (default: 64MB)', parseMemory)
    .option('--json', 'print one line of JSON for each event')
    .action(commandHandler(async () => (await import('../commands/service/worker.ts')).workerCommand))

  addCommand(sluice, 'login', 'Log in for the refreshToken() of a pipeline, and store its tokens, encrypted.')
    .argument('<pipeline>', 'a name, a file, or NAME.STREAM')
    .option('--device', 'log in on another device, by a code (needs deviceUrl; default: in a browser of this machine)')
    .addOption(
      new Option('--port <n>', 'port of 127.0.0.1 to which the browser returns; 0 takes any free port')
        .argParser(parsePort)
        .default(0),
    )
    .addOption(
      new Option('--timeout <duration>', 'how long to wait for the person').argParser(parseDuration).default('10m'),
    )
    .action(commandHandler(async () => (await import('../commands/service/login.ts')).loginCommand))

  const notify = addGroup(sluice, 'notify', 'Test the alarms, and list the problems that were told.')
  addCommand(notify, 'test', 'Send a test to everybody who is told of problems.')
    .argument('[pipelines...]', 'names or files (default: all of pipelines/)')
    .action(commandHandler(async () => (await import('../commands/service/notify-test.ts')).notifyTestCommand))
  addCommand(notify, 'list', 'List the problems that are open, and who was told of each.')
    .option('--all', 'include problems that are over')
    .option('--limit <n>', 'problems to list, newest first', wholeNumber(1), 50)
    .option('--json', 'print the problems as JSON')
    .action(commandHandler(async () => (await import('../commands/service/notify-list.ts')).notifyListCommand))
}
