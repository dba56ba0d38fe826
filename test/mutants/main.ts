// Takes one rule of the ledger away at a time, in a copy, and demands that the harness notices: a harness that stays
// green proves nothing.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdir, mkdtemp, readFile, readdir, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'

const ROOT = resolve(import.meta.dirname, '../..')
const COPIED = ['src', 'test', 'bench', 'migrations', 'package.json', 'tsconfig.json', 'jest.config.ts']

/**
 * `test/kill`, `test/moving` or `test/changes` with its arguments, or `test` with those of Jest, which must notice a
 * mutant.
 */
interface Proof {
  readonly harness: 'kill' | 'moving' | 'changes' | 'test'
  readonly args: readonly string[]
}

/** A patch: what it takes away, each proof that must notice it, and the difference itself. */
interface Mutant {
  readonly name: string
  readonly file: string
  readonly takes: string
  readonly proofs: readonly Proof[]
}

async function mutants(): Promise<Mutant[]> {
  const files = (await readdir(import.meta.dirname)).filter((name) => name.endsWith('.patch')).toSorted()
  return Promise.all(
    files.map(async (name) => {
      const file = join(import.meta.dirname, name)
      const text = await readFile(file, 'utf8')
      const [, takes] = /^takes: (.+)$/m.exec(text) ?? []
      const proofs = [...text.matchAll(/^(kill|moving|changes|test): (.+)$/gm)].map(([, harness, args = '']) => ({
        harness: harness as Proof['harness'],
        args: [...args.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? ''),
      }))
      if (takes === undefined || proofs.length === 0)
        throw new Error(
          `${file} must begin with the lines 'takes: …' and 'kill: …', 'moving: …', 'changes: …' or 'test: …'`,
        )
      return {
        name: name.replace(/\.patch$/, ''),
        file,
        takes,
        proofs,
      }
    }),
  )
}

/** The tree without its history, beside the same installed packages. */
async function copy(): Promise<{ readonly directory: string } & AsyncDisposable> {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-mutant-'))
  for (const part of COPIED) await cp(join(ROOT, part), join(directory, part), { recursive: true })
  await mkdir(join(directory, 'pipelines'), { recursive: true })
  await symlink(join(ROOT, 'node_modules'), join(directory, 'node_modules'))
  return { directory, [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }) }
}

async function run(
  command: string,
  args: readonly string[],
  directory: string,
): Promise<{ code: number | null; output: string }> {
  const child = spawn(command, args, { cwd: directory, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text))
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, output }
}

const proof = ({ harness, args }: Proof, directory: string): ReturnType<typeof run> =>
  run(
    process.execPath,
    [
      '--disable-warning=ExperimentalWarning',
      ...(harness === 'test'
        ? ['--experimental-vm-modules', join(directory, 'node_modules/jest/bin/jest.js')]
        : [join(directory, 'test', harness, 'main.ts')]),
      ...args,
    ],
    directory,
  )

/** A proof is green, too, where a name leaves out all of its tests, scenarios or seeds. */
const hasRun = ({ harness }: Proof, output: string): boolean =>
  harness === 'test' ? /^Tests: .*passed/m.test(output) : !/^0 (?:scenarios|seeds) in/m.test(output)

const { positionals: wanted, values: options } = parseArgs({
  allowPositionals: true,
  options: {
    /** The proofs were just run without a mutant, and were green: they are not run so again. */
    green: { type: 'boolean', default: false },
  },
})
const all = (await mutants()).filter(({ name }) => wanted.length === 0 || wanted.includes(name))
let survivors = 0

// First without any: what is red already would prove nothing.
if (!options.green) {
  await using plain = await copy()
  for (const text of new Set(all.flatMap(({ proofs }) => proofs.map((one) => JSON.stringify(one))))) {
    const one = JSON.parse(text) as Proof
    const { code, output } = await proof(one, plain.directory)
    if (code === 0 && hasRun(one, output)) continue
    console.log(`without a mutant, ${text} ${code === 0 ? 'runs no test' : 'is red'}:\n${output}`)
    survivors++
  }
}
if (survivors === 0 && !options.green) console.log('without a mutant the harness is green\n')

for (const { name, file, takes, proofs } of all) {
  await using mutated = await copy()
  const applied = await run('git', ['apply', file], mutated.directory)
  if (applied.code !== 0) {
    console.log(`${name}: the patch does not fit the tree any more:\n${applied.output}`)
    survivors++
    continue
  }
  for (const one of proofs) {
    const started = performance.now()
    const { code, output } = await proof(one, mutated.directory)
    const seconds = ((performance.now() - started) / 1_000).toFixed(0)
    // Red for the right reason: a promise was broken, not the harness.
    const caught = code !== 0 && /BROKEN|BrokenPromise:|^ +✕/m.test(output)
    if (!caught) survivors++
    const verdict = caught ? 'red' : `NOT NOTICED, exit code ${code}`
    const lines = output.trimEnd().split('\n').slice(0, 12)
    console.log(`${name} (${takes}): ${verdict}\n  ${one.harness} ${one.args.join(' ')}, ${seconds} s`)
    console.log(`${lines.map((line) => `  | ${line.slice(0, 300)}`).join('\n')}\n`)
  }
}
console.log(
  survivors === 0
    ? `${all.length} mutants, each noticed`
    : `${survivors} mutants were not noticed, or could not be tried`,
)
process.exitCode = survivors === 0 ? 0 : 1
