import { registerHooks } from 'node:module'

const own = new URL(`../index${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url).href
const isSource = own.endsWith('.ts')

/**
 * `import … from 'sluice'` in a pipeline file finds this very program: in a clone, where nothing has been compiled, and
 * where a command that is installed globally reads a file of a folder that has no packages.
 */
export function resolveOwnPackage(): void {
  registerHooks({
    resolve(specifier, context, next) {
      if (specifier !== 'sluice') return next(specifier, context)
      if (isSource) return { url: own, shortCircuit: true }
      try {
        return next(specifier, context)
      } catch {
        return { url: own, shortCircuit: true }
      }
    },
  })
}
