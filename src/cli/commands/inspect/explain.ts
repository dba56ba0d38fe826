import { UsageError } from '../../../model/errors.ts'
import { codeNamed, EXPLANATIONS, nearestCode } from '../../explain/explanations.ts'
import { terminalWidth } from '../../output/terminal-width.ts'
import { textTable } from '../../output/text-table.ts'
import { wrapText } from '../../output/wrap-text.ts'

/** `sluice explain`: says what an error means and what to do. Without a code, lists all of them. */
export async function explainCommand(
  [word]: [string | undefined],
  { json = false }: { readonly json?: boolean },
): Promise<number> {
  await Promise.resolve()
  if (word === undefined) {
    if (json) console.log(JSON.stringify(EXPLANATIONS))
    else console.log(listText())
    return 0
  }
  const code = codeNamed(word)
  if (code === undefined) {
    const near = nearestCode(word)
    throw new UsageError(
      `There is no code ${word}. ${near === undefined ? '' : `Did you mean ${near}? `}To list all: sluice explain`,
    )
  }
  const { happened, causes, remedies, example } = EXPLANATIONS[code]
  if (json) console.log(JSON.stringify({ code, ...EXPLANATIONS[code] }))
  else
    console.log(
      [
        ...lines(`${code}: ${happened}`, ''),
        '',
        'Usual causes',
        ...causes.flatMap((cause) => lines(cause, '- ')),
        '',
        'What to do',
        ...remedies.flatMap((remedy) => lines(remedy, '- ')),
        '',
        'Example',
        ...example.split('\n').map((line) => `  ${line}`),
      ].join('\n'),
    )
  return 0
}

const listText = (): string =>
  textTable(Object.entries(EXPLANATIONS).map(([code, { happened }]) => ({ code, 'what happened': happened })))

/** Wraps a text at the width of the terminal, with a mark before its first line. */
function lines(text: string, mark: string): string[] {
  const indent = mark === '' ? '' : '  '
  const wrapped = wrapText(text, Math.min(100, terminalWidth()) - indent.length - mark.length)
  return wrapped.map((line, index) => indent + (index === 0 ? mark : ' '.repeat(mark.length)) + line)
}
