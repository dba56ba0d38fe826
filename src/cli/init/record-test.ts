import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import type { Pipeline } from '../../define/pipeline.ts'
import { variableName } from '../../probe/write/names.ts'
import { record, type Recorded } from '../../testing/index.ts'

/** Pages that are recorded: with the second one, the test passes from page to page. */
const PAGES = 2

/**
 * Records the first pages of a new pipeline, and writes a test that reads them without a network. Returns what was
 * recorded, or undefined if the pipeline has a test already.
 */
export async function recordTest(pipeline: Pipeline, signal: AbortSignal): Promise<Recorded | undefined> {
  const { name } = pipeline
  const [test, file] = [`test/${name}.test.ts`, `test/${name}.json`]
  if (existsSync(test) || existsSync(file)) return undefined
  await mkdir('test', { recursive: true })
  const recorded = await record(pipeline, { file, pages: PAGES, quiet: true, signal })
  await writeFile(test, testText(name, recorded), { flag: 'wx' })
  return recorded
}

/** Names that the test has besides the pipeline. */
const IMPORTED = new Set(['test', 'expectStream', 'replay', 'stream'])

const testText = (name: string, { file, rows }: Recorded): string => {
  const variable = variableName(name, IMPORTED)
  const tests = Object.entries(rows).map(
    ([stream, count]) => `
test('${stream}: the recorded pages are read', async () => {
  const stream = expectStream(${variable}.streams[${JSON.stringify(stream)}], { from: replay('${file}') })
  await stream.toYieldCount(${count})
})
`,
  )
  return `import { test } from 'node:test'
import { expectStream, replay } from 'sluice/testing'
import ${variable} from '../pipelines/${name}.ts'
${tests.join('')}`
}
