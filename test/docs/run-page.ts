// Runs a page of the documentation: writes its files, runs its commands in their order, and looks for their output.
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { expect } from '@jest/globals'
import { COMPILE_CACHE } from '../support/compile-cache.ts'

export const root = new URL('../../', import.meta.url).pathname
const command = join(root, 'src/cli/main.ts')
/** Commands that exit with 1 to say that they have found a problem. */
const mayFail = new Set(['status', 'check'])
const squeezed = (text: string): string => text.replaceAll(/[\s|]+/g, ' ').trim()

interface Block {
  readonly language: string
  readonly text: string
}

/** The fenced blocks of a page, in their order. */
function blocksOf(page: string): Block[] {
  return [...page.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map(([, language = '', text = '']) => ({ language, text }))
}

/** Splits a command line at spaces; double quotes keep an argument together. */
const wordsOf = (line: string): string[] =>
  [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '')

export interface RunPageOptions {
  readonly env: Readonly<Record<string, string>>
  /** Files that are there before the first step, by their names. @default none */
  readonly files?: Readonly<Record<string, string>>
  /** Texts of command lines, and what stands in their place. @default none */
  readonly replaced?: Readonly<Record<string, string>>
  /** Runs a command line of another program than `npx`. */
  readonly other?: (words: readonly string[]) => Promise<string>
  /** Returns false for a block of text that is no output. @default every block is output */
  readonly isOutput?: (text: string) => boolean
}

export interface RanPage {
  /** Lines that the page shows and the commands did not print, each with their output. */
  readonly missing: readonly { readonly line: string; readonly output: string }[]
  /** Blocks of output that were compared. */
  readonly steps: number
}

/**
 * Runs a page. A block `ts` is a file, whose name is its first comment; `sh` are commands; `text` and `typescript` are
 * the output of the commands before it, where `…` stands for anything. `sluice status` and `check` may exit with 1.
 */
export async function runPage(
  page: string,
  { env, files = {}, replaced = {}, other = async () => '', isOutput = () => true }: RunPageOptions,
): Promise<RanPage> {
  const dir = await mkdtemp(join(tmpdir(), 'sluice-page-'))
  await using cleanup = new AsyncDisposableStack()
  cleanup.defer(() => rm(dir, { recursive: true, force: true }))
  const write = async (name: string, text: string): Promise<void> => {
    const path = join(dir, name)
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, text)
  }
  await write('package.json', '{ "type": "module" }')
  for (const [name, text] of Object.entries(files)) await write(name, text)

  const runLine = async (line: string): Promise<string> => {
    const [program = '', ...words] = wordsOf(
      Object.entries(replaced).reduce((text, [from, to]) => text.replaceAll(from, to), line),
    )
    if (program === 'cat') return readFile(join(dir, words[0] ?? ''), 'utf8')
    if (program !== 'npx' || words[0] === 'node') return other([program, ...words])
    expect(words[0]).toBe('sluice')
    const all = { PATH: process.env['PATH'], NO_COLOR: '1', ...COMPILE_CACHE, ...env }
    const running = promisify(execFile)(process.execPath, [command, ...words.slice(1)], { cwd: dir, env: all })
    if (!mayFail.has(words[1] ?? '')) return (await running).stdout
    return (await running.catch((error: { readonly stdout: string }) => error)).stdout
  }

  let output = ''
  let steps = 0
  const missing: { line: string; output: string }[] = []
  for (const { language, text } of blocksOf(await readFile(join(root, page), 'utf8'))) {
    if (language === 'ts') await write(/^\/\/ (\S+)/.exec(text)?.[1] ?? '', text)
    else if (language === 'sh') {
      output = ''
      for (const line of text.trim().split('\n')) output += `${await runLine(line)}\n`
    } else if ((language === 'text' || language === 'typescript') && isOutput(text)) {
      steps += 1
      // Each part of an expected line stands in the output, after the part before it.
      let from = 0
      for (const line of text.trim().split('\n'))
        for (const part of line.split('…').map(squeezed)) {
          const at = squeezed(output).indexOf(part, from)
          if (at < 0) missing.push({ line, output })
          else from = at
        }
    }
  }
  return { missing, steps }
}
