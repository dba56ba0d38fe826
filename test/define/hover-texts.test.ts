// An editor shows the doc comment of a word while a user writes it.
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { expect, test } from '@jest/globals'

const SRC = join(import.meta.dirname, '../../src')
const EXPORTS = /export (type )?\{([^}]*)\} from '([^']+)'/g

interface Word {
  readonly name: string
  readonly file: string
  readonly isType: boolean
}

/** The names that a file exports from other files. */
function wordsOf(text: string, file: string): Word[] {
  return [...text.matchAll(EXPORTS)].flatMap(([, type, names = '', from = '']) =>
    names
      .split(',')
      .map((name) => name.trim())
      .filter((name) => name !== '')
      .map((name) => ({
        name: name.replace(/^type /, ''),
        file: join(dirname(file), from),
        isType: type !== undefined || name.startsWith('type '),
      })),
  )
}

/** Returns the doc comment of a word, and how it is declared. */
async function declarationOf({ name, file }: Word): Promise<{ doc: string; kind: string }> {
  const text = await readFile(file, 'utf8')
  const [, doc = '', kind] =
    new RegExp(
      String.raw`(/\*\*(?:(?!\*/)[\s\S])*\*/\s*(?://[^\n]*\n)*)?` +
        String.raw`export (?:async )?(function|const|class|interface|type) ${name}\b`,
    ).exec(text) ?? []
  if (kind !== undefined) return { doc, kind }
  const again = wordsOf(text, file).find((word) => word.name === name)
  if (!again) throw new Error(`${name} is not declared in ${file}`)
  return declarationOf(again)
}

test('every exported word has a sentence, and one that is called an example', async () => {
  const index = join(SRC, 'index.ts')
  const words = wordsOf(await readFile(index, 'utf8'), index).filter(({ file }) => !file.endsWith('renamed-words.ts'))
  expect(words.length).toBeGreaterThan(150)
  const problems = await Promise.all(
    words.map(async (word) => {
      const { doc, kind } = await declarationOf(word)
      if (!/\w{3}/.test(doc)) return `${word.name}: no doc comment`
      const isCalled = !word.isType && !word.name.endsWith('Error') && ['function', 'const', 'class'].includes(kind)
      return isCalled && !doc.includes('@example') ? `${word.name}: no @example` : undefined
    }),
  )
  expect(problems.filter((problem) => problem !== undefined)).toEqual([])
})
