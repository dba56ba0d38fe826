import type { Command } from 'commander'
import { suggest } from './suggest.ts'

/**
 * `sluice completion --complete WORD…`, which the scripts of the shells call on each Tab: prints one suggestion a line,
 * with its description behind a tab. A last line `:files` or `:folders` says that such a path fits too.
 */
export function complete(program: Command, words: readonly string[]): void {
  const { values, paths } = suggest(program, words, process.cwd())
  const lines = values.map(({ value, description }) => `${value}\t${description.replaceAll(/\s+/g, ' ')}`)
  if (paths) lines.push(`:${paths}`)
  if (lines.length > 0) console.log(lines.join('\n'))
}
