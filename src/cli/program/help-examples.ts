import type { HelpExamples } from './help-entry.ts'
import { LEDGER_EXAMPLES } from './ledger-examples.ts'

/** By the names of the command: `cursor set`. */
export const HELP_EXAMPLES: Readonly<Record<string, HelpExamples>> = {
  sluice: {
    title: 'Start with',
    examples: [
      ['sluice demo', 'an API, a database and a run, all on this machine'],
      ['sluice init warehouse', 'make a project'],
      ['sluice list --verbose', 'what the pipelines in pipelines/ would do'],
      ['sluice check', 'check files, secrets, APIs and tables'],
      ['sluice run', 'bring all tables up to date'],
    ],
    paragraphs: [
      'Settings come from the environment and from .env: DATABASE_URL, and the secrets that pipelines name. ' +
        'Without DATABASE_URL an embedded PostgreSQL is started. Its files are in .sluice/.',
      'Exit codes: 0 success, 1 failure, 2 wrong usage, 130 interrupted. ' +
        'Ctrl-C commits complete batches and exits within 5 s; the next run continues from there. ' +
        'A second Ctrl-C exits at once.',
    ],
  },
  init: {
    examples: [
      ['sluice init warehouse', 'a folder with a project'],
      ['sluice init --from https://api.example/v1/orders', 'in this folder, for this API'],
      ['sluice init warehouse --yes --name shop --database postgres://user:password@db.example:5432/shop'],
    ],
    paragraphs: [
      'A file that exists is kept and listed. A package.json that exists gets only the entries that it lacks. ' +
        'On a terminal, the command asks for what no option gives. ' +
        '--from first probes an API as sluice probe does, and records two pages of it for a test. ' +
        'If the API is of no use, nothing is written.',
    ],
  },
  completion: {
    examples: [
      ['source <(sluice completion bash)', 'in ~/.bashrc'],
      ['source <(sluice completion zsh)', 'in ~/.zshrc, after compinit'],
      ['sluice completion fish > ~/.config/fish/completions/sluice.fish'],
    ],
    paragraphs: [
      'Completes commands, options, their choices, and the names of the pipelines in pipelines/. ' +
        'The script asks sluice itself on each Tab, so it need not be made again after an update. ' +
        'sluice must be on the PATH: PATH=$PWD/node_modules/.bin:$PATH in a project that has it as a package.',
    ],
  },
  run: {
    examples: [
      ['sluice run', 'all pipelines in pipelines/'],
      ['sluice run billing forum', 'these two, one after the other'],
      ['sluice run billing.customers', 'one stream'],
      ['sluice run billing --stream customers invoices'],
      ['sluice run ./elsewhere/ledger.ts', 'a file'],
      ['sluice run billing --full', 'read everything; unchanged rows are not written'],
      ['sluice run billing --dry-run --limit 100', 'read and show, write nothing'],
      ['sluice run billing --distribute', 'let workers read the streams'],
      ['sluice run billing --json > report.json', 'the report, for programs'],
      ['sluice run billing --log-format json', 'each event, for a log collector'],
      ['sluice run billing --quiet --timeout 30m --overlap skip', 'from cron'],
    ],
    paragraphs: [
      'On a terminal: one line for each stream while it runs, then a report. ' +
        'Elsewhere: one line of text for each event that matters, then the report. ' +
        '--log-format json prints each event as a line of JSON, the report last; --json prints only the report. ' +
        'An interrupted run continues from its last commit.',
    ],
  },
  backfill: {
    examples: [
      ['sluice backfill billing.invoices --from 2024-01-01 --to 2025-01-01 --dry-run'],
      ['sluice backfill billing.invoices --from 2024-01-01 --to 2025-01-01 --estimate'],
      ['sluice backfill billing.invoices --from 2024-01-01 --to 2025-01-01 --concurrency 8'],
      ['sluice backfill billing.invoices --from 2024-01-01 --to 2025-01-01 --distribute', 'on all workers'],
      ['sluice backfill billing.invoices --from 2024-01-01 --to 2025-01-01 --only failed'],
      ['sluice backfill billing --from 2024-03-01 --to 2024-04-01 --window 1mo --zone Europe/Berlin'],
    ],
    paragraphs: [
      'The same stream, range, window and zone continue an earlier backfill: windows that are done stay done. ' +
        'Other values make a new backfill. A window that fails does not stop the others. ' +
        'If .into() has a version, runs of the stream may continue at the same time: the newer row stays.',
      '--only failed: windows that failed. ' +
        '--only missing: skip windows that earlier backfills of the stream have done. ' +
        '--only all: include windows that were skipped before.',
    ],
  },
  verify: {
    examples: [
      ['sluice verify billing.invoices', 'all of a stream'],
      ['sluice verify billing.invoices --from 2024-01-01 --to 2024-02-01', 'a range, day by day'],
      ['sluice verify billing.invoices --repair', 'read again what differs'],
      ["sluice verify billing --json || mail -s 'billing differs' you@example.org"],
    ],
    paragraphs: [
      'Reads the source as run --full does, and compares its rows with the table by key. ' +
        'Without --repair, nothing is written. The exit code is 1 if rows differ, else 0.',
      'Rows that were written since it began are no faults, and neither are records that the next run reads. ' +
        'Rows that only the table has are counted if it is proven that the source was read completely.',
    ],
  },
  schedule: {
    examples: [
      ['sluice schedule', 'all pipelines in pipelines/ that have a schedule'],
      ['sluice schedule billing --catch-up all', 'run each missed tick, in order'],
      ['sluice schedule --distribute', 'let workers read the streams'],
      ['sluice schedule --print crontab', 'for cron: crontab sluice.crontab'],
      ['sluice schedule --print systemd --into /etc/systemd/system'],
      ['sluice schedule --print kubernetes | kubectl apply -f -'],
    ],
    paragraphs: [
      'The ledger records each tick. Several schedulers on one database run each tick once, ' +
        'and a scheduler that was down knows which ticks it missed. A failed run does not stop the scheduler. ' +
        'SIGTERM commits complete batches and exits within 5 s, with exit code 0. ' +
        'Each event is one line of text, or of JSON with --json. --verbose adds the events of the runs.',
    ],
  },
  worker: {
    examples: [
      ['sluice worker', 'work on all of pipelines/'],
      ['sluice worker billing --concurrency 8', 'one pipeline, eight streams at once'],
      ['sluice run billing --distribute', 'elsewhere: hand out the streams of a pipeline'],
      ['sluice schedule --distribute', 'elsewhere: hand out the streams of all pipelines at their times'],
    ],
    paragraphs: [
      'Start as many as you like, on any machine with the same database, the same pipeline files and their secrets. ' +
        'A worker takes only pipelines that it has in the same version, and says which it has not. ' +
        'SIGTERM lets it take no more work, commit complete batches and exit within 5 s; other workers go on. ' +
        'If a worker dies, its work goes on elsewhere within a minute. docs/WORKERS.md describes it.',
    ],
  },
  serve: {
    examples: [
      ['sluice serve', 'a page at http://127.0.0.1:8420, for all of pipelines/'],
      ['sluice serve --schedule', 'also run the pipelines at their times'],
      ['sluice serve --distribute', 'let workers read what is started on the page'],
      ['SLUICE_TOKEN=$(openssl rand -hex 32) sluice serve --host 0.0.0.0 --allowed-host etl.example.org'],
    ],
    paragraphs: [
      'The server reads the ledger, so it also shows runs that cron or another machine started. ' +
        'Only this machine can reach it, unless a token is set; then every request needs the token:',
      '  curl -H "authorization: Bearer $SLUICE_TOKEN" http://etl.example.org:8420/api/summary',
      'For programs: /api/openapi.json. For Prometheus: /metrics. For health checks: /healthz, /readyz.',
      'Ctrl-C stops the server and the runs that it started, within 5 s. ' +
        'The next run of each pipeline continues from the last commit.',
    ],
  },
  login: {
    examples: [
      ['sluice login crm', 'prints the address to open in a browser of this machine'],
      ['sluice login crm --device', 'prints a code to type on another device'],
      ['sluice login crm --port 8400', 'for a server that knows the redirect URI'],
    ],
    paragraphs: [
      'The browser returns to http://127.0.0.1:PORT/callback. Register this redirect URI with the server. ' +
        'SLUICE_KEY must be set. No token is printed.',
    ],
  },
  list: {
    examples: [
      ['sluice list'],
      ['sluice list billing --verbose', 'requests, paging, cursors, stages, tables; sends no request'],
    ],
  },
  check: {
    examples: [
      ['sluice check', 'all pipelines'],
      ['sluice check billing.customers', 'one stream'],
      ['sluice check --offline', 'send no request to the APIs'],
    ],
    paragraphs: [
      'All checks run, also after a problem was found. Each stream costs its API one request, for the first page. ' +
        'Nothing is written. Each problem says where it is and what to do.',
    ],
  },
  probe: {
    examples: [
      ['sluice probe https://api.example/v1/orders', 'writes pipelines/example.ts'],
      ['sluice probe https://api.example/v1/orders --auth bearer:EXAMPLE_TOKEN --name shop'],
      ["sluice probe 'https://api.example/v1/orders?status=open' --header 'Accept-Language: en' --out open.ts"],
      ['sluice probe --openapi https://api.example/openapi.json', 'all lists of a description'],
      ['sluice probe --openapi shop.yaml --list', 'show them, write nothing'],
      ['sluice probe --openapi github.json --set owner=nodejs --set repo=node --only repo_issues'],
    ],
    paragraphs: [
      'Sends a few requests, one after the other, at most as many as it says first, and then reads two pages with ' +
        'the file that it has written. ' +
        'It recognises how pages follow each other, where the records are, their key and their types. ' +
        'Paging is proven by requests; what is not proven is a comment that begins with QUESTION. ' +
        'Secrets are given by the names of environment variables. ' +
        'Exit code 1: nothing was written, or the file does not read two pages as it should.',
      'With --openapi it requests nothing of the API: the file says what the description states, ' +
        'and asks what it does not.',
    ],
  },
  preview: {
    examples: [
      ['sluice preview billing.customers'],
      ['sluice preview billing.customers --limit 3 --json'],
      ['sluice preview billing.customers --type', 'the TypeScript type of the records'],
      ['sluice preview ./elsewhere/ledger.ts --stream entries --since 2024-05-01'],
    ],
  },
  diff: {
    examples: [['sluice diff billing.invoices'], ['sluice diff billing --full', 'as if the cursors were reset']],
    paragraphs: [
      'Reads as the next run would, and writes nothing. The exit code is 1 if a stream fails, or its run would fail.',
    ],
  },
  explain: {
    examples: [
      ['sluice explain NO_RECORDS', 'what happened, the usual causes, what to do'],
      ['sluice explain', 'all codes'],
    ],
  },
  doctor: {
    examples: [
      ['sluice doctor'],
      ['sluice doctor --json | jq .findings', 'for programs'],
      [`sluice doctor billing || mail -s 'billing has a problem' you@example.org`],
    ],
    paragraphs: [
      'It looks at pipeline files, secrets and settings, the server and its clock, connections, rights, tables and ' +
        'their dead rows, the ledger, leases of processes that are gone, missed ticks, waits, incidents, and at all ' +
        'that sluice status finds. The exit code is 1 if there is a problem, else 0. It writes nothing and sends no ' +
        'request to an API. A check may take 10 s; one that fails does not stop the others.',
    ],
  },
  status: {
    examples: [
      ['sluice status'],
      [`sluice status billing || mail -s 'billing has a problem' you@example.org`],
      ['sluice status --json'],
    ],
    paragraphs: [
      'The exit code is 1 if there is a problem, else 0. A problem is a stream that is overdue by its schedule, ' +
        'whose last run failed, that never succeeded, that read nothing although it used to read many records, ' +
        'whose cursor does not move although records arrive, ' +
        'or that could not prove that it read everything (open). Nothing is written.',
    ],
  },
  runs: {
    examples: [['sluice runs'], ['sluice runs billing --limit 5'], ['sluice runs 42', 'the report of run 42']],
  },
  notify: {
    examples: [
      ['sluice notify test', 'does an alarm arrive?'],
      ['sluice notify list', 'problems that are open, and who was told'],
    ],
    paragraphs: [
      'sluice schedule, sluice serve and sluice run look for problems and tell whom a pipeline names (notify), or ' +
        'whom the environment names (SLUICE_NOTIFY_SLACK and others): once of each problem, once when it is over. ' +
        'docs/ALARMS.md describes it.',
    ],
  },
  'notify test': { examples: [['sluice notify test'], ['sluice notify test billing', 'those of one pipeline']] },
  'notify list': { examples: [['sluice notify list'], ['sluice notify list --all --json']] },
  ...LEDGER_EXAMPLES,
  demo: {
    examples: [
      ['sluice demo', 'the first time everything, the second time only new records'],
      ['sluice demo --database postgres://localhost/warehouse'],
    ],
  },
}
