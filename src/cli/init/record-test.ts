import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { basename, extname } from 'node:path'
import { variableName } from '../../probe/write/names.ts'
import type { FoundPipeline } from '../../run/find-pipelines.ts'
import { record, type Recorded } from '../../testing/index.ts'

/** Pages that are recorded: with the second one, the test passes from page to page. */
const PAGES = 2

/** A test that was written, and what it reads. */
export interface RecordedTest {
  readonly test: string
  readonly recorded: Recorded
}

/**
 * Records the first pages of a new pipeline, and writes a test that reads them without a network. The test has the
 * ending of the pipeline's file. Returns undefined if the pipeline has a test already.
 */
export async function recordTest(
  { pipeline, file: source }: FoundPipeline,
  signal: AbortSignal,
): Promise<RecordedTest | undefined> {
  const { name } = pipeline
  const [test, file] = [`test/${name}.test${extname(source)}`, `test/${name}.json`]
  if (existsSync(test) || existsSync(file)) return undefined
  await mkdir('test', { recursive: true })
  const recorded = await record(pipeline, { file, pages: PAGES, quiet: true, signal })
  await writeFile(test, testText(name, basename(source), recorded), { flag: 'wx' })
  return { test, recorded }
}

/** Names that the test has besides the pipeline. */
const IMPORTED = new Set(['test', 'expectStream', 'replay', 'stream'])

const testText = (name: string, source: string, { file, rows }: Recorded): string => {
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
import ${variable} from '../pipelines/${source}'
${tests.join('')}`
}
