import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { sleep } from '../../../src/flow/signals/sleep.ts'
import { ROOT } from './command.ts'
import { Screen } from './screen.ts'
import { COMPILE_CACHE } from '../../support/compile-cache.ts'

/** A command in a terminal of its own: a real pseudo-terminal, and a screen that shows what a person would see. */
export interface Terminal extends AsyncDisposable {
  readonly screen: Screen
  /** Everything that was written to it. */
  readonly written: () => string
  readonly resize: (columns: number, rows: number) => Promise<void>
  /** Press keys. */
  readonly type: (keys: string) => void
  /** Wait until the screen shows something. */
  readonly shows: (isSo: (lines: readonly string[]) => boolean) => Promise<void>
  /** Its exit code. */
  readonly ended: Promise<number | null>
}

export interface TerminalOptions {
  readonly cwd: string
  readonly env?: Readonly<Record<string, string>>
  readonly columns?: number
  readonly rows?: number
  /** Told with the time of each piece that was written. */
  readonly on?: (piece: string) => void
}

/** util-linux's `script` is what opens the terminal; other systems have another one of this name, or none. */
export function hasTerminal(): boolean {
  try {
    return execFileSync('script', ['--version'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).includes(
      'util-linux',
    )
  } catch {
    return false
  }
}

/** `sluice …` in a terminal, as it runs in a clone. */
export async function inTerminal(
  args: readonly string[],
  { cwd, env = {}, columns = 80, rows = 24, on }: TerminalOptions,
): Promise<Terminal> {
  const place = await mkdtemp(join(tmpdir(), 'sluice-terminal-'))
  const program = [process.execPath, '--disable-warning=ExperimentalWarning', join(ROOT, 'src/cli/main.ts'), ...args]
    .map((word) => `'${word}'`)
    .join(' ')
  await writeFile(join(place, 'run.sh'), `tty > '${place}/tty'\nstty cols ${columns} rows ${rows}\nexec ${program}\n`)
  const child = spawn('script', ['-qefc', `sh '${place}/run.sh'`, '/dev/null'], {
    cwd,
    stdio: ['pipe', 'pipe', 'inherit'],
    env: {
      PATH: `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`,
      HOME: process.env['HOME'] ?? place,
      SHELL: '/bin/sh',
      TERM: 'xterm-256color',
      LANG: 'C.UTF-8',
      ...COMPILE_CACHE,
      ...env,
    },
  })
  const screen = new Screen({ columns: columns || 80, rows: rows || 24 })
  let written = ''
  child.stdout.setEncoding('utf8').on('data', (piece: string) => {
    written += piece
    on?.(piece)
    screen.write(piece)
  })
  const ended = once(child, 'close').then(([code]) => code as number | null)
  return {
    screen,
    ended,
    written: () => written,
    type: (keys) => void child.stdin.write(keys),
    resize: async (width, height) => {
      const tty = (await readFile(join(place, 'tty'), 'utf8')).trim()
      // Nothing that was written for the old width may arrive after this. Right behind a frame, the next one is far.
      await Promise.race([once(child.stdout, 'data'), sleep(2_000)])
      await sleep(20)
      screen.resize(width, height)
      execFileSync('stty', ['-F', tty, 'cols', String(width), 'rows', String(height)])
    },
    shows: async (isSo) => {
      const last = performance.now() + 50_000
      while (!isSo(screen.lines)) {
        if (performance.now() > last || child.exitCode !== null)
          throw new Error(`The terminal does not show it:\n${screen.lines.join('\n')}`)
        await sleep(20)
      }
    },
    [Symbol.asyncDispose]: async () => {
      child.kill()
      await ended
      await rm(place, { recursive: true, force: true })
    },
  }
}
