import { existsSync } from 'node:fs'
import { mkdir, readdir } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import type { CommandContext } from '../../execute-command.ts'
import { answersOf } from '../../init/answers.ts'
import { ownDependency, presentDependency, projectPackages } from '../../init/own-dependency.ts'
import { projectFiles, starterFiles, starterNames } from '../../init/project-files.ts'
import { writeProject, type WrittenProject } from '../../init/write-project.ts'

interface InitOptions {
  readonly name?: string
  /** `embedded`, or the address of a database. */
  readonly database?: string
  readonly yes?: boolean
}

/** `sluice init`: makes a project. Files that exist are kept. */
export async function initCommand(
  [word = '.']: [string | undefined],
  { yes = false, ...given }: InitOptions,
  { signal }: CommandContext,
): Promise<number> {
  const folder = resolve(word)
  const asks = !yes && process.stdin.isTTY && process.stdout.isTTY
  const hasSettings = existsSync(join(folder, '.env'))
  const { name, database } = await answersOf(folder, given, { asks, hasSettings, signal })
  await mkdir(folder, { recursive: true })
  const packages = {
    ...(await projectPackages({ embedded: database === undefined && (!hasSettings || given.database !== undefined) })),
    sluice: (await presentDependency(folder)) ?? (await ownDependency(folder)),
  }
  const isFirst = !(await hasPipelines(folder))
  const files = [
    ...projectFiles({ name, database, first: isFirst ? starterNames(name) : undefined }),
    ...(isFirst ? starterFiles(name) : []),
  ]
  const done = await writeProject(folder, files, { name, packages })
  console.log(doneText(folder, done, hasSettings && database !== undefined))
  return 0
}

const hasPipelines = async (folder: string): Promise<boolean> =>
  (await readdir(join(folder, 'pipelines')).catch(() => [])).length > 0

/** `isUnset`: the address of the database was given, and `.env` was there. */
function doneText(folder: string, { written, kept, added, isCommonJs }: WrittenProject, isUnset: boolean): string {
  const here = relative(process.cwd(), folder)
  const keptText = (path: string): string => {
    if (path === 'package.json' && added.length > 0) return `  ${path}, with ${added.join(', ')} added`
    return path === '.env' && isUnset ? `  ${path}: write DATABASE_URL there yourself` : `  ${path}`
  }
  return [
    ...(written.length > 0
      ? [`Written to ${here === '' ? 'this folder' : `${here}/`}:`, ...written.map((path) => `  ${path}`)]
      : ['Nothing was written.']),
    ...(kept.length > 0 ? ['Kept as they were, because they exist:', ...kept.map(keptText)] : []),
    '',
    'Next:',
    ...(here === '' ? [] : [`  cd ${here}`]),
    ...(isCommonJs ? ['  npm pkg set type=module    pipelines are ES modules'] : []),
    '  npm install',
    '  npm run sync               run the pipelines',
    '  npm test                   test them',
    '  npx sluice --help          list all commands',
  ].join('\n')
}
