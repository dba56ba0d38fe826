import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

let known: string | undefined

/** Of the package, above `src/` as well as above the compiled `dist/`. */
export function ownVersion(): string {
  return (known ??= find())
}

function find(): string {
  for (let directory = import.meta.dirname; directory !== dirname(directory); directory = dirname(directory)) {
    try {
      const { name, version } = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')) as {
        name?: string
        version?: string
      }
      if (name === 'sluice' && version) return version
    } catch {
      /* Further up. */
    }
  }
  return 'unknown'
}
