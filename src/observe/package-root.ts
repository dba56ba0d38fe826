import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

interface OwnPackage {
  readonly root: string
  readonly version: string
}

let found: OwnPackage | undefined

/** Returns the directory of this package: the one above `src/` in a clone, and above `dist/` once it is compiled. */
export function packageRoot(): string {
  return ownPackage().root
}

/** Returns the version of this package. */
export function ownVersion(): string {
  return ownPackage().version
}

function ownPackage(): OwnPackage {
  return (found ??= findPackage(import.meta.dirname))
}

function findPackage(start: string): OwnPackage {
  for (let directory = start; directory !== dirname(directory); directory = dirname(directory)) {
    const manifest = readManifest(join(directory, 'package.json'))
    if (manifest?.name === 'sluice') return { root: directory, version: manifest.version ?? 'unknown' }
  }
  throw new Error(`${start}: the package.json of sluice is missing above this directory. Install the package again.`)
}

function readManifest(file: string): { readonly name?: string; readonly version?: string } | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as { readonly name?: string; readonly version?: string }
  } catch {
    return undefined
  }
}
