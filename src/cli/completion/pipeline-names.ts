import { readdirSync, readFileSync } from 'node:fs'
import { extname, join } from 'node:path'
import { isPipelineFile } from '../../run/pipeline-file.ts'

/**
 * Returns the names of the pipelines in `pipelines/` as their files write them, without running the files: a person who
 * presses Tab has not asked for that, and waits. A file that makes its name up gives its own.
 */
export function pipelineNames(cwd: string): string[] {
  const folder = join(cwd, 'pipelines')
  try {
    return readdirSync(folder)
      .filter(isPipelineFile)
      .map((file) => nameIn(readFileSync(join(folder, file), 'utf8')) ?? file.slice(0, -extname(file).length))
      .toSorted()
  } catch {
    // There is no such folder here, or none that may be read.
    return []
  }
}

const nameIn = (text: string): string | undefined => /^export default pipeline\(\s*(['"`])([\w-]+)\1/m.exec(text)?.[2]
