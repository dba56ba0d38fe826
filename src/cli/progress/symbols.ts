import type { WindowState } from './window-progress.ts'

/** The signs that bars and maps are drawn with. */
export interface SymbolSet {
  readonly bar: string
  readonly rest: string
  readonly windows: Readonly<Record<WindowState, string>>
  /** Several windows of which some are done, from few to nearly all. */
  readonly partly: readonly string[]
}

const drawn: SymbolSet = {
  bar: '━',
  rest: '─',
  windows: { o: '·', r: '▶', d: '█', f: '✗', s: '-' },
  partly: ['░', '▒', '▓'],
}
const typed: SymbolSet = { bar: '=', rest: '-', windows: { o: '.', r: '>', d: '#', f: 'x', s: '_' }, partly: ['+'] }

/** Letters of a typewriter where the locale says that nothing else can be shown; most say nothing, or UTF-8. */
export function symbolsFor(environment: Readonly<Record<string, string | undefined>>): SymbolSet {
  const locale = environment['LC_ALL'] || environment['LC_CTYPE'] || environment['LANG'] || ''
  return environment['TERM'] === 'linux' || (locale !== '' && !/utf-?8/i.test(locale)) ? typed : drawn
}
