import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { command, ROOT } from '../cli/support/command.ts'

/** A folder with pipeline files, as a project has it. */
export interface Project extends AsyncDisposable {
  readonly folder: string
  /** Writes a file, and returns its path. */
  readonly write: (name: string, text: string) => Promise<string>
  /** Returns what the compiler says of all files together; '' if it says nothing. */
  readonly typeCheck: () => Promise<string>
}

/** Opens a folder whose files import `sluice` from this tree. */
export async function openProject(): Promise<Project> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-probe-'))
  const write = async (name: string, text: string): Promise<string> => {
    const file = join(folder, name)
    await mkdir(join(file, '..'), { recursive: true })
    await writeFile(file, text)
    return file
  }
  await write('package.json', '{ "type": "module" }')
  const compilerOptions = {
    paths: { sluice: [join(ROOT, 'src/index.ts')] },
    typeRoots: [join(ROOT, 'node_modules/@types')],
  }
  await write(
    'tsconfig.json',
    JSON.stringify({ extends: join(ROOT, 'tsconfig.json'), compilerOptions, include: ['pipelines'] }),
  )
  return {
    folder,
    write,
    typeCheck: async () => {
      const tsc = join(ROOT, 'node_modules/typescript/bin/tsc')
      const { stdout, stderr } = await command(process.execPath, [tsc, '-p', folder], { cwd: folder })
      return stdout + stderr
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  }
}
