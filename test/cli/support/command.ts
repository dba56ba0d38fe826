import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join, resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import { COMPILE_CACHE } from '../../support/compile-cache.ts'

export const ROOT = resolve(import.meta.dirname, '../../..')

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface CommandOptions {
  readonly cwd: string
  readonly env?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
}

/** A process until its end; nothing of our environment is its own but where programs are. */
export async function command(
  file: string,
  args: readonly string[],
  { cwd, env = {}, signal }: CommandOptions,
): Promise<Ended> {
  const child = spawn(file, args, {
    cwd,
    env: { ...bare, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(signal && { signal }),
  })
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit') as Promise<[number | null]>,
  ])
  return { code, stdout, stderr }
}

/** This Node first on the path, whatever the machine's own is. */
const bare = {
  PATH: `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`,
  HOME: process.env['HOME'] ?? tmpdir(),
  ...COMPILE_CACHE,
}

/**
 * npm as the machine has it, which is how users run it: on the machine's own Node, with what that needs to reach the
 * registry. Not with the settings that a surrounding `npm run` hands down, which would make it install into the folder
 * of that one.
 */
export const npm = (args: readonly string[], { env = {}, ...options }: CommandOptions): Promise<Ended> =>
  command('npm', args, {
    signal: AbortSignal.timeout(280_000),
    ...options,
    env: { ...network, PATH: machinePath, npm_config_loglevel: 'error', ...env },
  })

const machinePath = (process.env['PATH'] ?? '')
  .split(delimiter)
  .filter((folder) => !folder.includes('node_modules'))
  .join(delimiter)
const network = Object.fromEntries(
  Object.entries(process.env).filter(([name]) =>
    /^(?:NODE_EXTRA_CA_CERTS|SSL_CERT_(?:FILE|DIR)|https?_proxy|no_proxy)$/i.test(name),
  ),
) as Record<string, string>

/** `sluice …` as it runs in a clone. */
export const sluice = (args: readonly string[], options: CommandOptions): Promise<Ended> =>
  command(process.execPath, ['--disable-warning=ExperimentalWarning', join(ROOT, 'src/cli/main.ts'), ...args], options)

export interface Project extends AsyncDisposable {
  readonly cwd: string
  /** Run a command in it. */
  readonly sluice: (args: readonly string[], env?: Readonly<Record<string, string>>) => Promise<Ended>
}

/** A folder with some files, as a user's project. `SLUICE` in a file stands for where the package is imported from. */
export async function project(files: Readonly<Record<string, string>>): Promise<Project> {
  const cwd = await mkdtemp(join(tmpdir(), 'sluice-project-'))
  for (const [name, content] of Object.entries(files)) {
    const file = join(cwd, name)
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, content.replaceAll("'SLUICE'", JSON.stringify(join(ROOT, 'src/index.ts'))))
  }
  return {
    cwd,
    sluice: (args, env = {}) => sluice(args, { cwd, env }),
    [Symbol.asyncDispose]: () => rm(cwd, { recursive: true, force: true }),
  }
}
