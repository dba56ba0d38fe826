// What the package brings is read without the source: its pages lead nowhere that only the source has.
import { expect, test } from '@jest/globals'
import { existsSync } from 'node:fs'
import { glob, readFile } from 'node:fs/promises'
import { dirname, join, normalize, sep } from 'node:path'

const ROOT = join(import.meta.dirname, '../..')

test('the pages of the package link only what is in the package, and files that exist', async () => {
  const { files } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as { files: string[] }
  const packed = ['README.md', ...files]
  const isPacked = (path: string): boolean => packed.some((name) => path === name || path.startsWith(`${name}/`))
  const found = await Array.fromAsync(glob(['README.md', ...files.map((name) => `${name}/**/*.md`)], { cwd: ROOT }))
  const pages = found.map((page) => page.replaceAll(sep, '/'))
  expect(pages).toEqual(expect.arrayContaining(['README.md', 'docs/README.md', 'docs/cookbook/README.md']))
  const wrong: string[] = []
  for (const page of pages)
    for (const [, link = ''] of (await readFile(join(ROOT, page), 'utf8')).matchAll(/\]\(([^)#\s]+)/g)) {
      if (/^(?:https?|mailto):/.test(link)) continue
      const target = normalize(join(dirname(page), link))
      if (!isPacked(target) || !existsSync(join(ROOT, target))) wrong.push(`${page}: ${link}`)
    }
  expect(wrong).toEqual([])
})
