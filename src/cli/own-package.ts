import { registerHooks } from 'node:module'

const isSource = import.meta.url.endsWith('.ts')
const extension = isSource ? '.ts' : '.js'
const own: Readonly<Record<string, string | undefined>> = {
  sluice: new URL(`../index${extension}`, import.meta.url).href,
  'sluice/testing': new URL(`../testing/index${extension}`, import.meta.url).href,
}

let isResolved = false

/**
 * Resolves `import … from 'sluice'` in a pipeline file, and `sluice/testing`, to this program. A clone has nothing
 * compiled, and a globally installed command may read a file of a folder without packages.
 */
export function resolveOwnPackage(): void {
  if (isResolved) return
  isResolved = true
  registerHooks({
    resolve(specifier, context, next) {
      const url = Object.hasOwn(own, specifier) ? own[specifier] : undefined
      if (url === undefined) return next(specifier, context)
      if (isSource) return { url, shortCircuit: true }
      try {
        return next(specifier, context)
      } catch {
        return { url, shortCircuit: true }
      }
    },
  })
}
