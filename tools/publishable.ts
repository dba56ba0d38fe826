// Packs the package and looks at it as npm's users get it. Exits with 1 if anything is wrong.
// With --release also if its owner has yet to decide something that a release needs.
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'

interface Manifest {
  readonly private?: boolean
  readonly license?: string
  readonly repository?: unknown
  readonly scripts?: Readonly<Record<string, string>>
}
interface LockFile {
  readonly packages: Readonly<Record<string, Readonly<Record<string, unknown>>>>
}

const ROOT = join(import.meta.dirname, '..')
/** Scripts that npm runs when a user installs the package. */
const AT_INSTALL = ['preinstall', 'install', 'postinstall']
/** What a user must find in the package besides what `exports` and `bin` name, which publint looks for. */
const NEEDED = ['README.md', 'docs/README.md', 'migrations/0001_runs.sql', 'src/server/page/index.html']

const folder = mkdtempSync(join(tmpdir(), 'sluice-publishable-'))
try {
  execFileSync('npm', ['pack', '--silent', '--pack-destination', folder], { cwd: ROOT, stdio: ['ignore', 2, 2] })
  const [name] = readdirSync(folder)
  if (name === undefined) throw new Error('npm pack made no file')
  const tarball = join(folder, name)
  const faults = [...contentFaults(tarball), ...(await lint(tarball)), ...typesFault(tarball)]
  const undecided = decisions(manifestOf(tarball), filesOf(tarball))
  for (const fault of faults) console.error(`fault: ${fault}`)
  for (const decision of undecided) console.error(`to decide before a release: ${decision}`)
  const isRelease = process.argv.includes('--release')
  const isGood = faults.length === 0 && !(isRelease && undecided.length > 0)
  console.log(`${name}: ${isGood ? 'nothing is wrong with the package' : 'not to be published like this'}`)
  process.exitCode = isGood ? 0 : 1
} finally {
  rmSync(folder, { recursive: true })
}

/** What publint says, suggestions too. */
async function lint(tarball: string): Promise<readonly string[]> {
  // A buffer of Node may be a view of a larger one; publint takes all of what it gets.
  const bytes = Uint8Array.from(readFileSync(tarball)).buffer
  const { messages, pkg } = await publint({ pack: { tarball: bytes }, strict: true })
  return messages.map((message) => `publint: ${formatMessage(message, pkg) ?? message.code}`)
}

/** Whether attw finds types that are wrong. The package has ES modules only, so old resolution is left out. */
function typesFault(tarball: string): readonly string[] {
  const words = ['--profile', 'esm-only', '--no-definitely-typed', '--format', 'ascii', tarball]
  const { status } = spawnSync(join(ROOT, 'node_modules/.bin/attw'), words, { cwd: ROOT, stdio: ['ignore', 2, 2] })
  return status === 0 ? [] : ['attw: see above']
}

/** Whatever would run at install, and files that are missing. */
function contentFaults(tarball: string): readonly string[] {
  const { scripts = {} } = manifestOf(tarball)
  const files = filesOf(tarball)
  const { packages } = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as LockFile
  return [
    ...AT_INSTALL.filter((script) => script in scripts).map((script) => `package.json: ${script} runs at install`),
    ...Object.entries(packages)
      .filter(([path, { dev, hasInstallScript }]) => path !== '' && dev !== true && hasInstallScript === true)
      .map(([path]) => `${path}: a dependency that runs a script at install`),
    ...NEEDED.filter((file) => !files.includes(file)).map((file) => `${file} is not in the package`),
  ]
}

/** What only the owner can decide. */
function decisions({ private: isPrivate, license, repository }: Manifest, files: readonly string[]): readonly string[] {
  return [
    ...(isPrivate === true ? ['package.json: "private" keeps npm from publishing it; remove it'] : []),
    ...(license === undefined || !files.includes('LICENSE')
      ? ['a license: its name in package.json, its text in LICENSE']
      : []),
    ...(repository === undefined ? ['package.json: "repository", which the provenance of a package must match'] : []),
  ]
}

function manifestOf(tarball: string): Manifest {
  return JSON.parse(execFileSync('tar', ['-xzOf', tarball, 'package/package.json'], { encoding: 'utf8' })) as Manifest
}

function filesOf(tarball: string): readonly string[] {
  const paths = execFileSync('tar', ['-tzf', tarball], { encoding: 'utf8', maxBuffer: 1 << 26 })
  return paths.split('\n').map((path) => path.replace(/^package\//, ''))
}
