// The table of docs/cookbook/README.md: every file has its row and its number of lines, and has a test.
import { readdir, readFile } from 'node:fs/promises'
import { expect, test } from '@jest/globals'

const folder = new URL('../../docs/cookbook/', import.meta.url)

/** Lines of a pipeline without its header, comments, empty lines and the types of what the API answers. */
function linesOf(source: string): number {
  const code = source
    .replaceAll(/^(?:interface|type) .*\{\n(?:.*\n)*?\}\n/gm, '')
    .replaceAll(/\/\*\*[\s\S]*?\*\//g, '')
    .split('\n')
  return code.filter((line) => line.trim() !== '' && !line.trim().startsWith('//')).length
}

const names = (await readdir(folder)).filter((file) => file.endsWith('.ts')).map((file) => file.slice(0, -3))
const page = await readFile(new URL('README.md', folder), 'utf8')
const rows = new Map(
  [...page.matchAll(/^\| .*? \| \[(.+)\.ts\]\(\1\.ts\) \| (\d+) \| .* \|$/gm)].map(([, name = '', lines]) => [
    name,
    Number(lines),
  ]),
)

test('the table has each file once, in the order of the list', () => {
  expect([...rows.keys()].toSorted()).toEqual(names.toSorted())
})

test.each(names)('%s: its header names docs, secrets, limits, paging, increment and deletions', async (name) => {
  const source = await readFile(new URL(`${name}.ts`, folder), 'utf8')
  const header = source.slice(0, source.indexOf('import '))
  for (const part of ['Docs:', 'Secrets:', 'Limits:', 'Paging:', 'Increment:', 'Deletions:'])
    expect(header).toMatch(new RegExp(`^// ${part} `, 'm'))
  expect(header).toMatch(/looked up 20\d\d-\d\d-\d\d/)
  expect(rows.get(name)).toBe(linesOf(source))
  const tested = await readFile(new URL(`../../test/cookbook/${name}.ts`, folder), 'utf8')
  expect(tested).toContain(`docs/cookbook/${name}.ts`)
})
