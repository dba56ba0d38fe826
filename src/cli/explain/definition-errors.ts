// Errors of the definition, the command line and the end of a run.
import type { ErrorCode } from '../../model/error-code.ts'
import type { Explanation } from './explanation.ts'

export const DEFINITION_ERRORS = {
  USAGE: {
    happened: 'A definition, an option or the environment is wrong. Nothing was requested.',
    causes: [
      'A word of the pipeline file got a value that it does not take.',
      'Two options exclude each other, or one needs another.',
    ],
    remedies: [
      'The message names the word and what it takes. The line of the file is shown below it.',
      'docs/WRITING-PIPELINES.md has all words with their options.',
    ],
    example: "http('https://api.example/v1', { timeout: '30s' }) // a duration has a unit",
  },
  UNKNOWN_OPTION: {
    happened: 'A word got an option that it does not have. Options are never ignored in silence.',
    causes: [
      'The name is misspelled. The message names the near one.',
      'The option belongs to another word: `limit` of an API is a query parameter, `rate` belongs to `http()`.',
    ],
    remedies: ['Write the option that the message names.', 'An editor with TypeScript lists the options as you type.'],
    example:
      "http(base, { timeout: '5s' }) // not timeuot\napi.get('/orders', { limit: 100 }) // the query comes second",
  },
  FILE_NOT_LOADED: {
    happened: 'A pipeline file could not be loaded. The message shows the line, if it is known.',
    causes: [
      'TypeScript or JavaScript that does not parse, or a word of TypeScript that has to be translated, as `enum`.',
      'An import without the ending of the file, or of a package that is not installed.',
      'The file has no `export default pipeline(…)`.',
      'The code at the top of the file throws.',
    ],
    remedies: [
      'Correct the line. --verbose shows the stack.',
      'A relative import names the file with its ending: `./helper.ts`.',
      'In a project whose package.json says "type": "commonjs", name the file `.mts`, or set "type": "module".',
    ],
    example: "import { api } from '../lib/api.ts'\nexport default pipeline('shop', { streams: { orders } })",
  },
  NO_PIPELINE: {
    happened: 'The command names a pipeline, a stream or a file that does not exist.',
    causes: ['The name is misspelled.', 'The command was started in another folder than that of `pipelines/`.'],
    remedies: [
      'sluice list shows all names.',
      'Start in the folder that holds `pipelines/`, or name a file.',
      'Without a pipeline: sluice init makes a project, and sluice probe URL a pipeline for an API.',
    ],
    example: 'sluice run shop.orders\nsluice run ./elsewhere/shop.ts',
  },
  MISSING_SECRET: {
    happened: 'A secret that the pipeline names is not in the environment, or is empty. Nothing was requested.',
    causes: [
      '`.env` is missing, or is in another folder than the one where the command was started.',
      'The scheduler (cron, systemd, Kubernetes) does not hand the variable on.',
      'The name in `secret(…)` and the one in the environment differ.',
    ],
    remedies: ['Put the value into the environment, or into `.env`.', 'Or let NAME_FILE name a file that holds it.'],
    example: "echo 'API_TOKEN=…' >> .env\nhttp(base, { auth: bearer(secret('API_TOKEN')) })",
  },
  THROWN: {
    happened: 'Code of the pipeline file, or of a library, threw an error that Sluice does not know.',
    causes: [
      'A function of `.tap()`, `.pages()` or a custom source read a field that is not there.',
      'A library that the file uses failed.',
    ],
    remedies: ['The message names the line, if your file threw it.', '--verbose shows the stack and the cause.'],
    example: 'sluice run shop.orders --verbose',
  },
  RUN_FAILED: {
    happened: 'At least one stream or account of a run failed. The others have ended as usual.',
    causes: ['Each stream has its own error, with a code of its own.'],
    remedies: [
      'sluice runs NUMBER shows the report with each error. Explain the code of that error.',
      'The next run continues after the last commit.',
    ],
    example: 'sluice runs 12\nsluice run shop.orders',
  },
  CANCELLED: {
    happened: 'The run was stopped: by Ctrl-C, a signal, a time limit or a person. This is no fault.',
    causes: [
      'Ctrl-C or SIGTERM.',
      '--timeout, or the server or sluice cancel was asked to stop the run.',
      'sluice pause.',
    ],
    remedies: [
      'Nothing. Complete batches are committed, and the next run continues after them.',
      'If it is paused: sluice continue.',
    ],
    example: 'sluice run shop --timeout 30m',
  },
} as const satisfies Partial<Record<ErrorCode, Explanation>>
