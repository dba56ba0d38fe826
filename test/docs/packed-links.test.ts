// What the package brings is read without the source: its pages lead nowhere that only the source has.
import { expect, test } from '@jest/globals'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname, join, normalize } from 'node:path'

const ROOT = join(import.meta.dirname, '../..')

test('README.md and docs/README.md link only what is in the package, and pages that exist', async () => {
  const { files } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as { files: string[] }
  const packed = ['README.md', ...files.map((name) => `${name}/`)]
  const wrong: string[] = []
  for (const page of ['README.md', 'docs/README.md'])
    for (const [, link = ''] of (await readFile(join(ROOT, page), 'utf8')).matchAll(/\]\(([^)#\s]+)/g)) {
      if (/^https?:/.test(link)) continue
      const target = normalize(join(dirname(page), link))
      const isPacked = packed.some((name) => target === name || target.startsWith(name))
      if (!isPacked || !existsSync(join(ROOT, target))) wrong.push(`${page}: ${link}`)
    }
  expect(wrong).toEqual([])
})
