import vm, { Script, type CompileFunctionOptions, type SourceTextModuleOptions } from 'node:vm'

/** A module's function that is not bound to a context, or undefined for one that Jest compiles. */
interface Compiled {
  readonly source: string
  readonly script: Script | undefined
}

/** Outside of comments. It must reach the test file in whose context it is called. */
const DYNAMIC_IMPORT = /^(?!\s*(?:\*|\/\*|\/\/)).*\bimport\(/m

const compiled = new Map<string, Compiled>()
const analysed = new Map<string, { readonly source: string; readonly cachedData: Buffer }>()
const { compileFunction, SourceTextModule } = vm

/**
 * Lets a worker compile each CommonJS module of a package once and not for each test file: above all Jest's own, which
 * it loads into every context. Only a script's run belongs to a context, so test files still share nothing. An ES
 * module belongs to its context, and is made there from what V8 found out about its source before.
 */
export function compileOnce(): void {
  vm.compileFunction = compile as typeof compileFunction
  vm.SourceTextModule = moduleOf as unknown as typeof SourceTextModule
}

function compile(source: string, parameters: readonly string[], options: CompileFunctionOptions): unknown {
  const { filename, parsingContext } = options
  if (!filename?.includes('/node_modules/') || !parsingContext) return compileFunction(source, parameters, options)
  let found = compiled.get(filename)
  if (found?.source !== source) {
    found = { source, script: DYNAMIC_IMPORT.test(source) ? undefined : scriptOf(source, parameters, filename) }
    compiled.set(filename, found)
  }
  return found.script ? found.script.runInContext(parsingContext) : compileFunction(source, parameters, options)
}

function scriptOf(source: string, parameters: readonly string[], filename: string): Script {
  const head = `(function (${parameters.join(', ')}) {`
  return new Script(`${head}${source}\n})`, { filename, columnOffset: -head.length })
}

/** Called by `new`, so what it returns is the module. */
function moduleOf(source: string, options: SourceTextModuleOptions = {}): InstanceType<typeof SourceTextModule> {
  const { identifier } = options
  const known = identifier === undefined ? undefined : analysed.get(identifier)
  if (known?.source === source) {
    try {
      return new SourceTextModule(source, { ...options, cachedData: known.cachedData })
    } catch {
      // V8 refuses it after a test has changed a flag of its own.
    }
  }
  const made = new SourceTextModule(source, options)
  if (identifier !== undefined)
    analysed.set(identifier, { source, cachedData: (made as unknown as Script).createCachedData() })
  return made
}
moduleOf.prototype = SourceTextModule.prototype
