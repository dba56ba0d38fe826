// Runs docs/TUTORIAL.md: writes its files, runs its commands in their order, and looks for the output that it shows.
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { expect, test } from '@jest/globals'
import { testDatabase } from '../support/database.ts'

const root = new URL('../../', import.meta.url).pathname
const command = join(root, 'src/cli/main.ts')
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

/** Starts the tutorial's API on a free port and returns its address. */
async function startShop(): Promise<{ origin: string } & AsyncDisposable> {
  const shop = spawn(process.execPath, [join(root, 'docs/tutorial/shop-api.ts'), '0'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = (await once(createInterface({ input: shop.stdout }), 'line')) as [string]
  return {
    origin: line.replace('The shop listens on ', ''),
    [Symbol.asyncDispose]: async () => {
      shop.kill()
      await once(shop, 'exit')
    },
  }
}

test('every step of the tutorial prints what the page shows', async () => {
  const page = await readFile(join(root, 'docs/TUTORIAL.md'), 'utf8')
  const dir = await mkdtemp(join(tmpdir(), 'sluice-tutorial-'))
  await using cleanup = new AsyncDisposableStack()
  cleanup.defer(() => rm(dir, { recursive: true, force: true }))
  await using shop = await startShop()
  await using store = await testDatabase()
  await writeFile(join(dir, 'package.json'), '{ "type": "module" }')

  const runLine = async (line: string): Promise<string> => {
    const [program, ...words] = wordsOf(line)
    if (program === 'curl') {
      const url = (words.at(-1) ?? '').replace('http://127.0.0.1:8710', shop.origin)
      return (await fetch(url, { method: 'PATCH' })).text()
    }
    if (words[0] === 'node') return ''
    expect([program, words[0]]).toStrictEqual(['npx', 'sluice'])
    const env = { PATH: process.env['PATH'], SHOP_API: shop.origin, DATABASE_URL: store.url, NO_COLOR: '1' }
    const { stdout } = await promisify(execFile)(process.execPath, [command, ...words.slice(1)], { cwd: dir, env })
    return stdout
  }

  let output = ''
  let steps = 0
  const missing: { line: string; output: string }[] = []
  for (const { language, text } of blocksOf(page)) {
    if (language === 'ts') {
      const path = join(dir, /^\/\/ (\S+)/.exec(text)?.[1] ?? '')
      await mkdir(dirname(path), { recursive: true })
      await writeFile(path, text)
    } else if (language === 'sh') {
      output = ''
      for (const line of text.trim().split('\n')) output += `${await runLine(line)}\n`
    } else if (language === 'text' && !text.includes('8710')) {
      steps += 1
      // Each expected line stands in the output, after the line before it.
      let from = 0
      for (const line of text.trim().split('\n')) {
        const at = squeezed(output).indexOf(squeezed(line), from)
        if (at < 0) missing.push({ line, output })
        else from = at
      }
    }
  }
  expect(missing).toStrictEqual([])
  expect(steps).toBeGreaterThanOrEqual(6)
}, 240_000)
