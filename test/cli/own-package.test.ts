import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { sluice } from './support/command.ts'

test("a pipeline file can import 'sluice' in a folder without packages", async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-own-'))
  try {
    await writeFile(
      join(folder, 'mine.ts'),
      `import { http, onePage, pipeline } from 'sluice'
      const a = http('http://127.0.0.1:1').get<{ id: number }[]>('/a').pages(onePage()).records()
      export default pipeline('mine', { streams: { a: a.into('t.a', { key: 'id' }) } })`,
    )
    expect(await sluice(['list', 'mine.ts'], { cwd: folder })).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('mine'),
    })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})
