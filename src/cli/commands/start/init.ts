import { existsSync } from 'node:fs'
import { mkdir, readdir } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import { existingFile } from '../../../probe/write-pipeline.ts'
import { nameFor, readTarget } from '../../../probe/target.ts'
import type { CommandContext } from '../../execute-command.ts'
import { answersOf } from '../../init/answers.ts'
import { beginFrom } from '../../init/begin-from.ts'
import { ownDependency, presentDependency, projectPackages } from '../../init/own-dependency.ts'
import { projectFiles, starterFiles, starterNames } from '../../init/project-files.ts'
import { writeFiles, writeProject, type WrittenProject } from '../../init/write-project.ts'

interface InitOptions {
  readonly name?: string
  /** `embedded`, or the address of a database. */
  readonly database?: string
  readonly from?: string
  readonly yes?: boolean
}

/** `sluice init`: makes a project. Files that exist are kept. */
export async function initCommand(
  [word = '.']: [string | undefined],
  { yes = false, ...given }: InitOptions,
  context: CommandContext,
): Promise<number> {
  const { signal } = context
  const folder = resolve(word)
  const asks = !yes && process.stdin.isTTY && process.stdout.isTTY
  const hasSettings = existsSync(join(folder, '.env'))
  const { name, database, from } = await answersOf(folder, given, { asks, hasSettings, signal })
  const pipeline = from === undefined ? undefined : nameFor(readTarget(from), undefined)
  const file = join('pipelines', `${pipeline ?? ''}.ts`)
  // Found out before anything is written.
  if (pipeline !== undefined && existsSync(join(folder, file))) throw existingFile(file)
  await mkdir(folder, { recursive: true })
  const packages = {
    ...(await projectPackages({ embedded: database === undefined && (!hasSettings || given.database !== undefined) })),
    sluice: (await presentDependency(folder)) ?? (await ownDependency(folder)),
  }
  const needsStarter = !(await hasPipelines(folder))
  const starter = needsStarter && from === undefined
  const first = pipeline === undefined ? undefined : { pipeline, table: `${pipeline}.TABLE` }
  const files = [
    ...projectFiles({ name, database, first: starter ? starterNames(name) : first }),
    ...(starter ? starterFiles(name) : []),
  ]
  const here = relative(process.cwd(), folder)
  const done = await writeProject(folder, files, { name, packages })
  console.log(writtenText(here, done, hasSettings && database !== undefined))
  const code = from === undefined ? 0 : await beginFrom(from, { folder, file }, context)
  // The project has something to run and to test, whatever became of the API.
  if (needsStarter && !(await hasPipelines(folder))) {
    const { written } = await writeFiles(folder, starterFiles(name))
    console.log(`Wrote ${written.join(' and ')} in its place.`)
  }
  console.log(nextText(here, done))
  return code
}

const hasPipelines = async (folder: string): Promise<boolean> =>
  (await readdir(join(folder, 'pipelines')).catch(() => [])).length > 0

/** `isUnset`: the address of the database was given, and `.env` was there. */
function writtenText(here: string, { written, kept, added }: WrittenProject, isUnset: boolean): string {
  const keptText = (path: string): string => {
    if (path === 'package.json' && added.length > 0) return `  ${path}, with ${added.join(', ')} added`
    return path === '.env' && isUnset ? `  ${path}: write DATABASE_URL there yourself` : `  ${path}`
  }
  return [
    ...(written.length > 0
      ? [`Written to ${here === '' ? 'this folder' : `${here}/`}:`, ...written.map((path) => `  ${path}`)]
      : ['Nothing was written.']),
    ...(kept.length > 0 ? ['Kept as they were, because they exist:', ...kept.map(keptText)] : []),
  ].join('\n')
}

const nextText = (here: string, { isCommonJs }: WrittenProject): string =>
  [
    '',
    'Next:',
    ...(here === '' ? [] : [`  cd ${here}`]),
    ...(isCommonJs ? ['  npm pkg set type=module    pipelines are ES modules'] : []),
    '  npm install',
    '  npm run sync               run the pipelines',
    '  npm test                   test them',
    '  npx sluice probe URL       make a pipeline for an API',
  ].join('\n')
