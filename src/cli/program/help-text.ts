import type { Command } from 'commander'
import { wrapText } from '../output/wrap-text.ts'
import type { HelpExamples } from './help-entry.ts'
import { HELP_EXAMPLES } from './help-examples.ts'

/** Explanations of longer command lines stand on the next line. */
const MAX_COMMAND_WIDTH = 42

/** Adds a command's examples to its help. */
export function addExamples(command: Command): void {
  const names: string[] = []
  for (let at: Command | null = command; at; at = at.parent) names.unshift(at.name())
  const help = HELP_EXAMPLES[names.slice(1).join(' ') || 'sluice']
  if (help) command.addHelpText('after', () => helpText(help, command.configureOutput().getOutHelpWidth?.() ?? 80))
}

/** Lays out examples and paragraphs. No line is wider than the terminal, except for a long command line. */
export function helpText({ title = 'Examples', examples, paragraphs = [] }: HelpExamples, width: number): string {
  const widths = examples.map(([command, explanation]) => (explanation === undefined ? 0 : command.length))
  const column = Math.min(Math.max(...widths), MAX_COMMAND_WIDTH) + 2
  const lines = examples.flatMap(([command, explanation = '']) => {
    const [first = '', ...more] = wrapText(explanation, width - 2 - column)
    const rest = command.length > column - 2 && first !== '' ? [first, ...more] : more
    const line = rest.length === more.length ? command.padEnd(column) + first : command
    return [line.trimEnd(), ...rest.map((text) => ' '.repeat(column) + text)].map((text) => `  ${text}`)
  })
  const texts = paragraphs.flatMap((text) => ['', ...(text.startsWith(' ') ? [text] : wrapText(text, width))])
  return ['', `${title}:`, ...lines, ...texts].join('\n')
}
