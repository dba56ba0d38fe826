import { accessSync, constants, statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'

const MEMORY = '/dev/shm'
const MIN_BYTES = 2 * 2 ** 30

/**
 * Returns the folder for data of test servers: in memory where at least 2 GB are free there, else the temporary folder.
 * Copying and dropping a database takes 0.15 s in memory and 1.4 s on a slow disk, and the tests do so 500 times.
 */
export function dataDirectory(): string {
  try {
    accessSync(MEMORY, constants.W_OK)
    const { bavail, bsize } = statfsSync(MEMORY)
    return bavail * bsize >= MIN_BYTES ? MEMORY : tmpdir()
  } catch {
    return tmpdir()
  }
}
