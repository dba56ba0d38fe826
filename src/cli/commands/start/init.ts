import { existsSync } from 'node:fs'
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import { UsageError } from '../../../model/errors.ts'
import { readSecrets } from '../../../observe/secrets.ts'
import { readAuth, readHeaders } from '../../../probe/auth-option.ts'
import { tableFor } from '../../../probe/write/write-stream.ts'
import { existingFile } from '../../../probe/write-pipeline.ts'
import { nameFor, readTarget } from '../../../probe/target.ts'
import type { CommandContext } from '../../execute-command.ts'
import { answersOf } from '../../init/answers.ts'
import { beginFrom } from '../../init/begin-from.ts'
import { ownDependency, presentDependency, projectPackages } from '../../init/own-dependency.ts'
import { projectFiles, starterFiles, starterNames, type ProjectOptions } from '../../init/project-files.ts'
import { writeFiles, writeProject, type WrittenProject } from '../../init/write-project.ts'

interface InitOptions {
  readonly name?: string
  /** `embedded`, or the address of a database. */
  readonly database?: string
  readonly from?: string
  /** Of the API of `from`, as those of `sluice probe`. */
  readonly auth?: readonly string[]
  readonly header?: readonly string[]
  readonly yes?: boolean
}

/** `sluice init`: makes a project. Files that exist are kept. */
export async function initCommand(
  [word = '.']: [string | undefined],
  { yes = false, auth = [], header = [], ...given }: InitOptions,
  context: CommandContext,
): Promise<number> {
  const { signal, hide } = context
  const folder = resolve(word)
  const asks = !yes && process.stdin.isTTY && process.stdout.isTTY
  const hasSettings = existsSync(join(folder, '.env'))
  const { name, database, from } = await answersOf(folder, given, { asks, hasSettings, signal })
  const target = from === undefined ? undefined : readTarget(from)
  const pipeline = target && nameFor(target, undefined)
  const file = join('pipelines', `${pipeline ?? ''}.ts`)
  // Found out before anything is written.
  if (pipeline !== undefined && existsSync(join(folder, file))) throw existingFile(file)
  checkOptions({ from, auth, header })
  await mkdir(folder, { recursive: true })
  const packages = {
    ...(await projectPackages({ embedded: database === undefined && (!hasSettings || given.database !== undefined) })),
    sluice: (await presentDependency(folder)) ?? (await ownDependency(folder)),
  }
  const needsStarter = !(await hasPipelines(folder))
  const starter = needsStarter && from === undefined
  // Where the path does not say what is listed, the probe names the table.
  const first =
    target?.stream !== undefined && pipeline !== undefined
      ? { pipeline, table: tableFor(pipeline, target.stream) }
      : undefined
  const files = [
    ...projectFiles({ name, database, first: starter ? starterNames(name) : first }),
    ...(starter ? starterFiles(name) : []),
  ]
  const here = relative(process.cwd(), folder)
  const done = await writeProject(folder, files, { name, packages })
  console.log(
    writtenText(here, done, { isUnset: hasSettings && database !== undefined, follows: target !== undefined }),
  )
  const code = from === undefined ? 0 : await beginFrom(from, { folder, file, auth, header }, context)
  // The project has something to run and to test, whatever became of the API.
  if (needsStarter && !(await hasPipelines(folder))) {
    const { written } = await writeFiles(folder, starterFiles(name))
    if (done.written.includes('README.md')) await rewriteReadme(folder, { name, database })
    console.log(`Written instead, with a list of its own: ${written.join(' and ')}.`)
  }
  if (from !== undefined && !existsSync(join(folder, file)))
    console.log(
      hide(`\nNo pipeline reads ${from} yet. Correct what is said above, then give this URL to sluice probe.`),
    )
  console.log(nextText(here, done))
  return code
}

const hasPipelines = async (folder: string): Promise<boolean> =>
  (await readdir(join(folder, 'pipelines')).catch(() => [])).length > 0

/** Throws for options that could not be sent, before anything is written. */
function checkOptions({
  from,
  auth = [],
  header = [],
}: Omit<InitOptions, 'from'> & { readonly from: string | undefined }): void {
  const secrets = readSecrets(process.env)
  for (const text of auth) readAuth(text, secrets)
  readHeaders(header)
  if (from === undefined && auth.length + header.length > 0)
    throw new UsageError('sluice init: --auth and --header are sent to the API of --from. Give its URL, too')
}

/** The README names the pipeline that the project has, not the one that it should have had. */
async function rewriteReadme(folder: string, { name, database }: ProjectOptions): Promise<void> {
  const files = projectFiles({ name, database, first: starterNames(name) })
  for (const { path, text } of files) if (path === 'README.md') await writeFile(join(folder, path), text)
}

interface WrittenState {
  /** The address of the database was given, and `.env` was there. */
  readonly isUnset: boolean
  /** The pipeline of an API is written after this. */
  readonly follows: boolean
}

function writtenText(
  here: string,
  { written, kept, added }: WrittenProject,
  { isUnset, follows }: WrittenState,
): string {
  const keptText = (path: string): string => {
    if (path === 'package.json' && added.length > 0) return `  ${path}, with ${added.join(', ')} added`
    return path === '.env' && isUnset ? `  ${path}: write DATABASE_URL there yourself` : `  ${path}`
  }
  // package.json may have got entries, and the pipeline of an API comes next.
  const isAll = added.length === 0 && !follows
  const lines = written.map((path) => `  ${path}`)
  return [
    ...(written.length === 0 && isAll ? ['Nothing was written.'] : []),
    ...(written.length > 0 ? [`Written to ${here === '' ? 'this folder' : `${here}/`}:`, ...lines] : []),
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
