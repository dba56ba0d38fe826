import { enableCompileCache } from 'node:module'

// Before anything else is loaded: the second start finds its code compiled.
enableCompileCache()
const { program } = await import('./program.ts')
await program().parseAsync()
