import { readFileSync } from 'node:fs'
import { registerHooks, stripTypeScriptTypes, type LoadHookSync, type ResolveHookSync } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'

const ROOT = new URL('../../../', import.meta.url).href
const SRC = `${ROOT}src/`
const PACKAGES = `${ROOT}node_modules/`

/** Pipeline files import the package by its name, as a user's do. */
const NAMED: Readonly<Record<string, string | undefined>> = {
  sluice: `${SRC}index.ts`,
  'sluice/testing': `${SRC}testing/index.ts`,
  '@jest/globals': new URL('globals.ts', import.meta.url).href,
}

/** Counts the test files of this process; 0 while none runs. */
let current = 0
let files = 0
let areHooked = false
const stripped = new Map<string, string>()

/**
 * Imports a test file by Node's own loader. What it imports of `src` and of packages is loaded once for all test files
 * of this process; tests, what supports them, and pipelines are loaded anew for each, with a query in their URLs.
 * Disposing makes the loader what it was.
 */
export function ownModules(): Disposable & { readonly import: (path: string) => Promise<unknown> } {
  hookModules()
  current = files += 1
  return {
    import: (path) => import(pathToFileURL(path).href),
    [Symbol.dispose]: () => {
      current = 0
    },
  }
}

/** Lets this process load TypeScript modules of this project with their paths in stack traces. */
export function hookModules(): void {
  if (!areHooked) registerHooks({ resolve, load })
  areHooked = true
}

const resolve: ResolveHookSync = (specifier, context, next) => {
  if (current === 0 || !context.conditions.includes('import')) return next(specifier, context)
  const named = Object.hasOwn(NAMED, specifier) ? NAMED[specifier] : undefined
  const found = named === undefined ? next(specifier, context) : { url: named, shortCircuit: true }
  return pathOf(found.url) === undefined || found.url.startsWith(SRC) ? found : { ...found, url: urlOf(found.url) }
}

const load: LoadHookSync = (url, context, next) => {
  const path = pathOf(url)
  if (path === undefined) return next(url, context)
  let source = stripped.get(path)
  if (source === undefined) {
    // The path in stack traces: without a query, and as Jest shortens and highlights it.
    source = stripTypeScriptTypes(readFileSync(path, 'utf8'), { sourceUrl: path })
    stripped.set(path, source)
  }
  return { format: 'module', source, shortCircuit: true }
}

const urlOf = (url: string): string => `${url}${url.includes('?') ? '&' : '?'}file=${current}`

/** Returns the path of a TypeScript module of this project, undefined for others. */
function pathOf(url: string): string | undefined {
  if (!url.startsWith(ROOT) || url.startsWith(PACKAGES)) return undefined
  const [bare = ''] = url.split('?')
  return bare.endsWith('.ts') ? fileURLToPath(bare) : undefined
}
