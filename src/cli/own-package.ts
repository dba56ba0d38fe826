import { registerHooks } from 'node:module'

const own = new URL(`../index${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url).href
const isSource = own.endsWith('.ts')

/**
 * Resolves `import … from 'sluice'` in a pipeline file to this program. A clone has nothing compiled, and a globally
 * installed command may read a file of a folder without packages.
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
