import type { HelpExamples } from './help-entry.ts'

/** Help of the commands that work on the database. */
export const LEDGER_EXAMPLES: Readonly<Record<string, HelpExamples>> = {
  pause: {
    examples: [
      ['sluice pause billing --why "their API moves until Monday"'],
      ['sluice pause billing.invoices', 'one stream'],
      ['sluice pause shops@north', 'one account of a pipeline that has several'],
    ],
    paragraphs: [
      'No run, backfill, schedule or server reads what is paused, on any machine. What is being read stops after its ' +
        'next commit, and is interrupted. sluice status shows who has paused it, when and why.',
    ],
  },
  continue: {
    examples: [['sluice continue billing'], ['sluice continue billing.invoices --why "the API is back"']],
    paragraphs: ['An interrupted reading goes on after its last commit.'],
  },
  cancel: {
    examples: [['sluice cancel 42 --why "wrong window"']],
    paragraphs: ['The run ends within 5 s, as by Ctrl-C. The next run continues after its last commit.'],
  },
  rejects: {
    examples: [['sluice rejects list billing'], ['sluice rejects replay billing.invoices']],
  },
  'rejects list': {
    examples: [['sluice rejects list'], ['sluice rejects list billing.invoices --json']],
  },
  'rejects replay': {
    examples: [['sluice rejects replay billing.invoices'], ['sluice rejects replay billing --id 17 18']],
    paragraphs: [
      'Each stream is replayed in one transaction. A record that a stage or the encoder rejected passes all stages ' +
        'again, as they are now. A row that the database refused is written again as it was. ' +
        'A record that is rejected again is listed again, with the new reason.',
    ],
  },
  'rejects drop': {
    examples: [['sluice rejects drop billing.invoices'], ['sluice rejects drop billing --id 17 18']],
    paragraphs: [
      'Needed only for records that will never be stored. A reject is settled by itself once a run stores a record ' +
        'with the same key, or the same record. Dropped rejects stay in the table sluice.rejects for 30 days.',
    ],
  },
  undelete: {
    examples: [['sluice undelete shop.items --since 2h --dry-run'], ['sluice undelete shop.items --run 42']],
    paragraphs: ['Deleted rows are kept for the undo of their table (7d). A row that exists again stays as it is.'],
  },
  cursor: {
    examples: [
      ['sluice cursor show'],
      ['sluice cursor set billing.customers 2024-05-01T00:00:00Z'],
      ['sluice cursor reset billing'],
    ],
  },
  'cursor show': {
    examples: [['sluice cursor show'], ['sluice cursor show billing.customers --json']],
  },
  'cursor set': {
    examples: [['sluice cursor set billing.customers 2024-05-01T00:00:00Z']],
    paragraphs: ['An interrupted read of the stream is closed, because it would set the cursor to its own end.'],
  },
  'cursor export': { examples: [['sluice cursor export > cursors.json'], ['sluice cursor export billing.customers']] },
  'cursor import': {
    examples: [
      ['sluice cursor import < cursors.json'],
      ['sluice cursor export billing | sluice cursor import --database postgres://localhost/new --dry-run'],
    ],
    paragraphs: [
      'A cursor is refused if its stream is missing, has another cursor field, unit or request here, or if ' +
        'the cursor that is there is of another kind. If one is refused, none is set.',
    ],
  },
  'runs list': { examples: [['sluice runs list billing --limit 5'], ['sluice runs 42', 'the report of run 42']] },
  'runs resume': {
    examples: [['sluice runs resume 42']],
    paragraphs: ['A sync goes on after its last commit, and a backfill reads the windows that are not done.'],
  },
  'runs abandon': {
    examples: [['sluice runs abandon 42 --why "the pages had moved"']],
    paragraphs: ['Its rows stay, except those of append, which are removed as the reading begins again.'],
  },
  slices: { examples: [['sluice slices list billing.customers'], ['sluice slices list --status open']] },
  'slices list': {
    examples: [
      ['sluice slices list billing.customers --run 42'],
      ['sluice slices list billing --status failed --json'],
    ],
  },
  'cursor reset': { examples: [['sluice cursor reset billing.customers'], ['sluice cursor reset billing']] },
  limits: {
    examples: [
      ['sluice limits', 'what is waited for, and until when'],
      ['sluice limits clear https://shop.example', 'send requests to this API again'],
    ],
    paragraphs: [
      'An API that is busy answers with a time to wait. Up to 5 minutes hold for the whole API. ' +
        'More holds for the path that was asked, or for the whole API if the response has headers of its rate limit. ' +
        'All processes with this database obey. A path shows {} in place of its values.',
    ],
  },
  'limits list': { examples: [['sluice limits'], ['sluice limits list --json']] },
  'limits clear': {
    examples: [
      ['sluice limits clear'],
      ['sluice limits clear https://shop.example', 'one API'],
      ['sluice limits clear /v1/orders', 'one path, and those below it'],
    ],
  },
  prune: {
    examples: [
      ['sluice prune --dry-run', 'what would be removed'],
      ['SLUICE_KEEP_RUNS=90d sluice prune', 'keep runs, slices and ticks for 90 days'],
    ],
    paragraphs: [
      'Runs with their slices and ticks are kept for 30 days (SLUICE_KEEP_RUNS), settled rejects for 30 days ' +
        '(SLUICE_KEEP_REJECTS), events for 7 days (SLUICE_KEEP_EVENTS). What a later run or the status may need ' +
        'stays for ever: cursors, windows of backfills, open readings, open rejects, interrupted reads, and the last ' +
        'hundred runs of each pipeline and stream. Set the variables for all processes with this database.',
    ],
  },
  migrate: {
    examples: [
      ['sluice migrate'],
      ['sluice migrate --database postgres://admin@localhost/warehouse', 'as a user who may create a schema'],
      ['sluice migrate --grant etl --schema billing', 'print the grants for the role etl'],
      ['sluice migrate --grant etl --schema billing --apply', 'run them'],
    ],
  },
  sql: {
    examples: [
      ['sluice sql "select plan, count(*) from demo.customers group by plan"'],
      ['sluice sql "table sluice.cursors" --json'],
      ['sluice sql --write "drop schema demo cascade"'],
    ],
  },
}
