import { enableCompileCache } from 'node:module'
import { resolveOwnPackage } from './own-package.ts'

// Before anything else is loaded: the second start finds its code compiled.
enableCompileCache()
resolveOwnPackage()
const { program } = await import('./program.ts')
await program().parseAsync()
