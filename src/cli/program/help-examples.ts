import type { Command } from 'commander'

// Help that teaches: what each command looks like when it is used, for a pipeline `billing` with streams `customers`
// and `invoices`.

const examples: Readonly<Record<string, string>> = {
  sluice: `
Begin:
  sluice demo                        an API, a database and a run, all on this machine
  sluice list --verbose              what the pipelines in pipelines/ would do
  sluice check                       whether files, secrets, APIs and tables are in order
  sluice run                         bring all tables up to date; again and again, from cron

Settings come from the environment and from .env: DATABASE_URL, and the secrets that
pipelines name. Without DATABASE_URL an embedded PostgreSQL is started, kept in .sluice/.

Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted. Ctrl-C commits what is
whole and ends within 5 s; the next run goes on from there. Twice ends at once.`,
  run: `
Examples:
  sluice run                                all pipelines in pipelines/
  sluice run billing forum                  these two, one after the other
  sluice run billing.customers              one stream
  sluice run billing --stream customers invoices
  sluice run ./elsewhere/ledger.ts          a file
  sluice run billing --full                 from the very beginning; what is unchanged is not written
  sluice run billing --dry-run --limit 100  read and show, write nothing
  sluice run billing --json > report.json   the report, for programs
  sluice run billing --quiet --timeout 30m --overlap skip --summary-file billing.json   from cron

On a terminal: a line for each stream while it runs, then a report. Elsewhere: one line of
JSON for each event, the report last. An interrupted run goes on where it stopped.`,
  backfill: `
Examples:
  sluice backfill billing.invoices --from 2024-01-01 --to 2025-01-01 --dry-run
  sluice backfill billing.invoices --from 2024-01-01 --to 2025-01-01 --concurrency 8
  sluice backfill billing.invoices --from 2024-01-01 --to 2025-01-01 --only failed
  sluice backfill billing --from 2024-03-01 --to 2024-04-01 --window 1mo --zone Europe/Berlin

The same words (stream, from, to, window, zone) go on where they stopped: what is done stays
done. Other words make a new backfill. A window that fails leaves the others running. With a
version in .into(), live runs of the stream may go on meanwhile: the newer row stays.

--only failed    windows that failed
--only missing   leave out what earlier backfills of the stream have done
--only all       what was left out before, too`,
  schedule: `
Examples:
  sluice schedule                            all pipelines in pipelines/ that have a schedule
  sluice schedule billing --catch-up all     each tick that was missed is run, in order
  sluice schedule --print crontab            for cron: crontab sluice.crontab
  sluice schedule --print systemd --into /etc/systemd/system
  sluice schedule --print kubernetes | kubectl apply -f -

The ledger remembers each tick: several schedulers on one database run each once, and one
that was down knows what it missed. A run that fails stops nothing. SIGTERM ends it within
5 s, with what is whole committed (exit code 0). One line for each event; JSON elsewhere
than on a terminal. --verbose adds the events of the runs.`,
  serve: `
Examples:
  sluice serve                       a page at http://127.0.0.1:8420, for all of pipelines/
  sluice serve --schedule            and the pipelines run at their times
  SLUICE_TOKEN=$(openssl rand -hex 32) sluice serve --host 0.0.0.0 --allow-host etl.example.org

It reads the ledger, so runs that cron or another machine started are seen too. Only this
machine reaches it, unless a token is set; then every request needs it:
  curl -H "authorization: Bearer $SLUICE_TOKEN" http://etl.example.org:8420/api/summary
For programs: /api/openapi.json. For Prometheus: /metrics. Alive: /healthz, /readyz.

Ctrl-C ends it and the runs that were started from it, within 5 s; the next run of each
goes on from there.`,
  list: `
Examples:
  sluice list
  sluice list billing --verbose      requests, paging, cursors, stages and tables; nothing is asked`,
  check: `
Examples:
  sluice check                       all pipelines
  sluice check billing.customers     one stream
  sluice check --offline             without asking the APIs

Everything is looked at at once. Each stream's API is asked for its first page, one request
and no more; nothing is written. Each fault says where it is and what to do.`,
  preview: `
Examples:
  sluice preview billing.customers
  sluice preview billing.customers --limit 3 --json
  sluice preview ./elsewhere/ledger.ts --stream entries --since 2024-05-01`,
  status: `
Examples:
  sluice status
  sluice status billing || mail -s 'billing is not well' you@example.org
  sluice status --json

Exit code 1 where something is wrong, else 0: a stream that is overdue by its schedule, whose
last run failed, that never succeeded, that read nothing where there was much before, or
whose cursor stands still while records come. It writes nothing.`,
  runs: `
Examples:
  sluice runs
  sluice runs billing --limit 5
  sluice runs 42                     the report of run 42`,
  rejects: `
Examples:
  sluice rejects list billing
  sluice rejects replay billing.invoices`,
  'rejects list': `
Examples:
  sluice rejects list
  sluice rejects list billing.invoices --json`,
  'rejects replay': `
Examples:
  sluice rejects replay billing.invoices
  sluice rejects replay billing --id 17 18

One transaction for each stream. A record that a stage or the encoder rejected goes through
all stages again, as they are now; a row that the database refused is sent again as it was.
What is rejected again is listed anew, with its reason.`,
  cursor: `
Examples:
  sluice cursor show
  sluice cursor set billing.customers 2024-05-01T00:00:00Z
  sluice cursor reset billing`,
  'cursor show': `
Examples:
  sluice cursor show
  sluice cursor show billing.customers --json`,
  'cursor set': `
Examples:
  sluice cursor set billing.customers 2024-05-01T00:00:00Z

An interrupted reading of the stream is closed: it would end at its own cursor.`,
  'cursor reset': `
Examples:
  sluice cursor reset billing.customers
  sluice cursor reset billing`,
  migrate: `
Examples:
  sluice migrate
  sluice migrate --database postgres://admin@localhost/warehouse   as a user who may create a schema`,
  sql: `
Examples:
  sluice sql "select plan, count(*) from demo.customers group by plan"
  sluice sql "table sluice.cursors" --json
  sluice sql --write "drop schema demo cascade"`,
  demo: `
Examples:
  sluice demo                        the first time everything, the second time what is new
  sluice demo --database postgres://localhost/warehouse`,
}

/** Add a command's examples to its help. */
export function addExamples(command: Command): void {
  const names: string[] = []
  for (let at: Command | null = command; at; at = at.parent) names.unshift(at.name())
  const text = examples[names.length > 1 ? names.slice(1).join(' ') : names[0]!]
  if (text !== undefined) command.addHelpText('after', text)
}
