import { tmpdir } from 'node:os'
import { join } from 'node:path'

/**
 * The environment of a process that a test starts from the sources: Node then strips types and compiles once for all of
 * them, which is half of the processor time until a command begins.
 */
export const COMPILE_CACHE = { NODE_COMPILE_CACHE: join(tmpdir(), 'sluice-test-compile-cache') } as const
