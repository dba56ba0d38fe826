import { ERROR_CODES, type ErrorCode } from '../../model/error-code.ts'
import { nearest } from '../../value/nearest.ts'
import { API_ERRORS } from './api-errors.ts'
import { DATABASE_ERRORS } from './database-errors.ts'
import { DEFINITION_ERRORS } from './definition-errors.ts'
import type { Explanation } from './explanation.ts'

/** All codes with their explanations. The compiler misses none. */
export const EXPLANATIONS: Readonly<Record<ErrorCode, Explanation>> = {
  ...DEFINITION_ERRORS,
  ...API_ERRORS,
  ...DATABASE_ERRORS,
}

/** Returns the code that a word of the command line means: `no-records` is NO_RECORDS. Undefined if there is none. */
export function codeNamed(word: string): ErrorCode | undefined {
  const name = word
    .replace(/^\[|\]$/g, '')
    .toUpperCase()
    .replaceAll('-', '_')
  return ERROR_CODES.find((code) => code === name)
}

/** Returns the code that is nearest to a misspelled one. */
export const nearestCode = (word: string): string | undefined => nearest(word, ERROR_CODES)

const list = (items: readonly string[]): string => items.map((item) => `- ${item}`).join('\n')

/** Returns docs/ERRORS.md. */
export function errorsPage(): string {
  const parts = Object.entries(EXPLANATIONS).map(
    ([code, { happened, causes, remedies, example }]) =>
      `## ${code}\n\n${happened}\n\nUsual causes:\n\n${list(causes)}\n\nWhat to do:\n\n${list(remedies)}\n\n` +
      `    ${example.replaceAll('\n', '\n    ')}\n`,
  )
  return `${HEAD}\n${parts.join('\n')}`
}

const HEAD = `# Errors

Errors end with a code in brackets, as \`[NO_RECORDS]\`. \`sluice explain NO_RECORDS\` prints what this page says
about it, and \`sluice explain\` lists all codes. Codes do not change. An error without a code is one of usage: USAGE.
The report has the code at the end of each \`error\`, and so has the ledger.

In code, \`error.explanation\` is the code in brackets, and \`error.code\` that of the class: a \`DecodeError\` has the
code \`DECODE\` and may have the explanation \`NO_RECORDS\`.

This page is made by \`node tools/errors-page.ts\` from \`src/cli/explain\`.
`
