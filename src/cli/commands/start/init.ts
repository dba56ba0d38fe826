import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rm } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import { parse } from 'dotenv'
import { UsageError } from '../../../model/errors.ts'
import { secretsOf } from '../../../model/secrets-of.ts'
import { isPipelineFile } from '../../../run/pipeline-file.ts'
import { readSecrets } from '../../../observe/secrets.ts'
import { readAuth, readHeaders } from '../../../probe/auth-option.ts'
import { tableFor } from '../../../probe/write/write-stream.ts'
import { existingFile } from '../../../probe/write-pipeline.ts'
import { nameFor, readTarget } from '../../../probe/target.ts'
import { askApi } from '../inspect/probe.ts'
import type { CommandContext } from '../../execute-command.ts'
import { answersOf } from '../../init/answers.ts'
import { beginFrom } from '../../init/begin-from.ts'
import { TEST_SCRIPT } from '../../init/manifest.ts'
import { existingPipeline, staysCommonJs } from '../../init/module-type.ts'
import { ownDependency, presentDependency, projectPackages } from '../../init/own-dependency.ts'
import { projectFiles, starterFiles, starterNames, type ProjectFile } from '../../init/project-files.ts'
import { writeProject, type WrittenProject } from '../../init/write-project.ts'

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
  const { signal } = context
  const folder = resolve(word)
  const asks = !yes && process.stdin.isTTY && process.stdout.isTTY
  const hasSettings = existsSync(join(folder, '.env'))
  const hasDatabase = await namesDatabase(folder)
  const { name, database, from } = await answersOf(folder, given, { asks, hasDatabase, signal })
  const isCommonJs = await staysCommonJs(folder)
  const ending = isCommonJs ? '.mts' : '.ts'
  const file = from === undefined ? undefined : join('pipelines', nameFor(readTarget(from), undefined) + ending)
  // Found out before anything is sent or written.
  const existing = file === undefined ? undefined : existingPipeline(join(folder, file))
  if (existing !== undefined)
    throw existingFile(relative(folder, existing), 'Move it away, or write a second one by sluice probe URL --out FILE')
  checkOptions({ from, auth, header })
  // An API that is of no use leaves no project behind.
  const found = from === undefined ? undefined : await askApi(from, { auth, header, otherwise: OF_NO_USE }, context)
  if (from !== undefined && !found) return 1
  const starter = !found && !(await hasPipelines(folder))
  const [stream] = found?.streams ?? []
  const first = found && stream && { pipeline: found.name, table: stream.table ?? tableFor(found.name, stream.name) }
  const done = await makeProject(folder, {
    name,
    isCommonJs,
    embedded: database === undefined && (!hasDatabase || given.database !== undefined),
    files: [
      ...projectFiles({
        name,
        database,
        first: starter ? starterNames(name) : first,
        secrets: secretsOf(found?.auth),
      }),
      ...(starter ? starterFiles(name, ending) : []),
    ],
  })
  const here = relative(process.cwd(), folder)
  console.log(writtenText(here, done, { isUnset: hasSettings && database !== undefined, follows: found !== undefined }))
  const code = found && file !== undefined ? await beginFrom(found, { folder, file }, context) : 0
  console.log(nextText(here, { ...done, isCommonJs }))
  return code
}

/** True if `.env` says where the database is: it may hold no more than the token of an API. */
async function namesDatabase(folder: string): Promise<boolean> {
  const text = existsSync(join(folder, '.env')) ? await readFile(join(folder, '.env'), 'utf8') : ''
  return (parse(text)['DATABASE_URL'] ?? '') !== ''
}

const OF_NO_USE =
  'Nothing was written. Correct this and run sluice init again, or leave out --from: the project then has an example.'

interface MakeOptions {
  readonly name: string
  /** The project keeps its type. */
  readonly isCommonJs: boolean
  readonly files: readonly ProjectFile[]
  /** The project depends on the embedded PostgreSQL. */
  readonly embedded: boolean
}

/** Makes the folder, package.json and the files. If this fails, a new folder is removed again. */
async function makeProject(
  folder: string,
  { name, files, embedded, isCommonJs }: MakeOptions,
): Promise<WrittenProject> {
  const made = await mkdir(folder, { recursive: true })
  try {
    const packages = {
      ...(await projectPackages({ embedded })),
      sluice: (await presentDependency(folder)) ?? (await ownDependency(folder)),
    }
    return await writeProject(folder, files, { name, packages, isCommonJs })
  } catch (error) {
    if (made !== undefined) await rm(made, { recursive: true, force: true })
    throw error
  }
}

const hasPipelines = async (folder: string): Promise<boolean> =>
  (await readdir(join(folder, 'pipelines')).catch(() => [])).some(isPipelineFile)

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

interface WrittenState {
  /** The address of the database was given, and `.env` was there. */
  readonly isUnset: boolean
  /** The pipeline of an API is written after this. */
  readonly follows: boolean
}

function writtenText(
  here: string,
  { written, kept, added, replaced }: WrittenProject,
  { isUnset, follows }: WrittenState,
): string {
  const keptText = (path: string): string =>
    path === '.env' && isUnset ? `  ${path}: write DATABASE_URL there yourself` : `  ${path}`
  const changes = [
    ...(added.length > 0 ? [`added ${added.join(', ')}`] : []),
    ...(replaced.length > 0 ? [`replaced what npm init wrote as ${replaced.join(' and ')}`] : []),
  ]
  // The pipeline of an API comes next.
  const isNone = written.length + changes.length === 0 && !follows
  const lines = written.map((path) => `  ${path}`)
  return [
    ...(isNone ? ['Nothing was written.'] : []),
    ...(written.length > 0 ? [`Written to ${here === '' ? 'this folder' : `${here}/`}:`, ...lines] : []),
    ...(changes.length > 0 ? ['Changed:', `  package.json: ${changes.join('; ')}`] : []),
    ...(kept.length > 0 ? ['Kept as they were, because they exist:', ...kept.map(keptText)] : []),
  ].join('\n')
}

interface NextState extends Pick<WrittenProject, 'hasOwnTest'> {
  readonly isCommonJs: boolean
}

function nextText(here: string, { hasOwnTest, isCommonJs }: NextState): string {
  const test = hasOwnTest ? TEST_SCRIPT : 'npm test'
  return [
    ...(isCommonJs ? ['', 'The project is of CommonJS, and stays so: pipelines and their tests are .mts files.'] : []),
    '',
    'Next:',
    ...(here === '' ? [] : [`  cd ${here}`]),
    '  npm install',
    '  npm run sync               run the pipelines',
    `  ${test.padEnd(25)}  test them`,
    '  npx sluice probe URL       make a pipeline for an API',
  ].join('\n')
}
