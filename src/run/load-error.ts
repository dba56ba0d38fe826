// Why a pipeline file could not be loaded, where in it, and what to do.
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { findPackageJSON } from 'node:module'
import { basename, dirname, relative, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import type { ErrorCode } from '../model/error-code.ts'
import { UsageError, type Place } from '../model/errors.ts'
import { placeOf, placeText } from '../observe/user-place.ts'
import { nearest } from '../value/nearest.ts'

/** The file that was imported, as it is and as messages show it. */
export interface LoadedFile {
  readonly path: string
  readonly shown: string
  readonly cwd: string
}

/** Returns the error of a file that could not be loaded: its place, the problem and the remedy. */
export async function loadError(cause: unknown, file: LoadedFile): Promise<UsageError> {
  const place = await placeOfLoad(cause, file)
  const where = place ? placeText(place, file.cwd) : file.shown
  // What a word refuses is a sentence with its own remedy.
  const explanation = cause instanceof UsageError ? (cause.explanation as ErrorCode) : undefined
  if (cause instanceof UsageError) return new UsageError(`${where}: ${cause.message}`, { cause, place, explanation })
  const remedy = (await remedyOf(cause, file)) ?? 'Correct it; --verbose shows the stack'
  return new UsageError(`${where} could not be loaded: ${problemOf(cause, file)}. ${remedy}`, {
    cause,
    place,
    explanation: 'FILE_NOT_LOADED',
  })
}

async function placeOfLoad(error: unknown, { path, cwd }: LoadedFile): Promise<Place | undefined> {
  if (!Error.isError(error)) return undefined
  return (
    placeOfSyntax(error.stack ?? '') ??
    (await placeOfImport(error)) ??
    placeOf(error) ??
    (error instanceof SyntaxError ? await checkedPlace(path, cwd) : undefined)
  )
}

/** Node writes the file, the line and a mark above the stack of an error of syntax. */
function placeOfSyntax(stack: string): Place | undefined {
  const [first = '', , marks = ''] = stack.split('\n')
  const [, at, line] = /^((?:file:\/\/)?\/.*|[A-Z]:\\.*):(\d+)$/.exec(first) ?? []
  if (at === undefined) return undefined
  const column = /^\s*\^/.test(marks) ? marks.indexOf('^') + 1 : undefined
  return {
    file: at.startsWith('file:') ? fileURLToPath(at) : at,
    line: Number(line),
    ...(column !== undefined && { column }),
  }
}

/** The error of a missing module names the file that imports it, and no line. */
async function placeOfImport(thrown: Error): Promise<Place | undefined> {
  const { missing, importer } = missingModule(thrown) ?? {}
  if (missing === undefined || importer === undefined) return undefined
  const text = await readFile(importer, 'utf8').catch(() => '')
  const name = missing.startsWith('/') ? basename(missing) : missing
  const quoted = new RegExp(String.raw`['"\`][^'"\`]*${name.replace(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`)}['"\`]`)
  for (const [index, line] of text.split('\n').entries()) {
    const found = /\b(?:from|import)\b/.test(line) ? quoted.exec(line) : null
    if (found) return { file: importer, line: index + 1, column: found.index + 1 }
  }
  return undefined
}

function missingModule(error: unknown): { readonly missing: string; readonly importer: string } | undefined {
  if (!Error.isError(error)) return undefined
  const [, missing, importer] =
    /^Cannot find (?:module|package) '(.+)' imported from '?(.+?)'?$/.exec(error.message) ?? []
  if (missing === undefined || importer === undefined) return undefined
  return { missing, importer: importer.startsWith('file:') ? fileURLToPath(importer) : importer }
}

/** V8 tells the place of an error in a module only to a process that ends by it. */
async function checkedPlace(path: string, cwd: string): Promise<Place | undefined> {
  const { stderr } = await promisify(execFile)(process.execPath, ['--check', path], { cwd, timeout: 5_000 }).catch(
    (error: { readonly stderr?: string }) => error,
  )
  return placeOfSyntax(stderr ?? '')
}

async function remedyOf(error: unknown, { path, cwd }: LoadedFile): Promise<string | undefined> {
  if (!Error.isError(error)) return undefined
  if (ONLY_IN_MODULES.test(error.message)) {
    const manifest = findPackageJSON(pathToFileURL(path))
    const shown = manifest === undefined ? 'package.json' : relative(cwd, manifest)
    return `Node reads the file as CommonJS: set "type": "module" in ${shown}, or name the file .mts`
  }
  const { missing } = missingModule(error) ?? {}
  if (missing !== undefined) return remedyOfMissing(missing)
  if ('code' in error && error.code === 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX')
    return 'Node removes types and translates nothing else. Write it as plain JavaScript, such as an object for an enum'
  const [, module, name = ''] =
    /^The requested module '(.+)' does not provide an export named '(.+)'$/.exec(error.message) ?? []
  if (module === undefined) return undefined
  const near = module === 'sluice' || module.endsWith('/src/index.ts') ? nearest(name, await ownExports()) : undefined
  return near === undefined ? `Correct the name, or write import type if it is a type` : `Did you mean ${near}?`
}

function remedyOfMissing(missing: string): string {
  if (!missing.startsWith('/')) return `Install it: npm install ${missing}`
  const near = ['.ts', '.mts', '.js', '.mjs', '/index.ts'].find((ending) => existsSync(missing + ending))
  const other = missing.replace(/\.[cm]?js$/, '.ts')
  if (near !== undefined) return `An import names the file with its ending. Did you mean ${basename(missing)}${near}?`
  if (other !== missing && existsSync(other)) return `Did you mean ${basename(other)}?`
  return `Correct the path in the import; it is read from ${dirname(resolve(missing))}`
}

const ownExports = async (): Promise<string[]> => Object.keys(await import('../index.ts'))

/** The errors of V8 for a module's syntax in a CommonJS file. */
const ONLY_IN_MODULES = /outside a module$|^Unexpected token 'export'|^Missing initializer in const declaration$/

function problemOf(error: unknown, { cwd }: LoadedFile): string {
  if (!Error.isError(error)) return `it threw ${String(error)}, which is not an error`
  const module = missingModule(error)
  if (module)
    return module.missing.startsWith('/')
      ? `there is no file ${relative(cwd, module.missing) || module.missing}`
      : `the package ${module.missing} is not installed`
  const named = error.name === 'Error' ? '' : `${error.name}: `
  return `${named}${error.message.split('\n')[0]}`.replace(/\.$/, '')
}
