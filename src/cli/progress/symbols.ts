import type { WindowState } from './window-progress.ts'

/** The characters of bars and window maps. */
export interface SymbolSet {
  readonly bar: string
  readonly rest: string
  readonly windows: Readonly<Record<WindowState, string>>
  /** Several windows of which some are done, from few to nearly all. */
  readonly partly: readonly string[]
}

const UNICODE: SymbolSet = {
  bar: '━',
  rest: '─',
  windows: { o: '·', r: '▶', d: '█', u: '?', f: '✗', s: '-' },
  partly: ['░', '▒', '▓'],
}
const ASCII: SymbolSet = {
  bar: '=',
  rest: '-',
  windows: { o: '.', r: '>', d: '#', u: '?', f: 'x', s: '_' },
  partly: ['+'],
}

/** Returns ASCII characters if the locale is set and is not UTF-8, or on the Linux console. */
export function symbolsFor(environment: Readonly<Record<string, string | undefined>>): SymbolSet {
  const locale = environment['LC_ALL'] || environment['LC_CTYPE'] || environment['LANG'] || ''
  return environment['TERM'] === 'linux' || (locale !== '' && !/utf-?8/i.test(locale)) ? ASCII : UNICODE
}

/** Returns a bar that is full only if everything is done. */
export function barText(share: number, width: number, symbols: SymbolSet): string {
  const filled = filledColumns(share, width)
  return symbols.bar.repeat(filled) + symbols.rest.repeat(width - filled)
}

/** Returns how many columns of a bar are filled. */
export const filledColumns = (share: number, width: number): number => Math.floor(share * width + 1e-9)
