import { enableCompileCache } from 'node:module'
import { setFlagsFromString } from 'node:v8'
import { hideModuleTypeWarnings } from './module-type-warnings.ts'

// By default V8 lets the heap grow to four times its live size before it collects. With 1.6 times, a run of five
// streams needs 120 MB less.
setFlagsFromString('--heap-growing-percent=60')
// Before the first import of a module, so that the second start finds its code compiled.
enableCompileCache()
hideModuleTypeWarnings()
for (const output of [process.stdout, process.stderr])
  output.on('error', (error: NodeJS.ErrnoException) => {
    // The reader of our output may exit early (`| head`). The run continues.
    if (error.code !== 'EPIPE') throw error
  })

const { program } = await import('./program/program.ts')
if (process.argv[2] === 'completion' && process.argv[3] === '--complete')
  (await import('./completion/complete.ts')).complete(program(), process.argv.slice(4))
else await program().parseAsync()

await Promise.all([process.stdout, process.stderr].map(flushed))
// A pipeline file may leave a handle open. Without one, the process exits before this timer.
setTimeout(() => process.exit(), 1_000).unref()

/** Resolves when everything written so far has left the process. */
function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    if (stream.destroyed) resolve()
    else stream.write('', () => resolve())
  })
}
