import { spawnSync } from 'node:child_process'
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { SCRIPTS } from '../../src/cli/completion/scripts.ts'
import { SHELLS, type Shell } from '../../src/cli/completion/shells.ts'
import { suggest } from '../../src/cli/completion/suggest.ts'
import { program } from '../../src/cli/program/program.ts'
import { callSluice } from './support/call.ts'
import { command, ROOT } from './support/command.ts'

let project: string
beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), 'sluice-completion-'))
  await mkdir(join(project, 'pipelines'))
  await writeFile(join(project, 'pipelines/shop-orders.ts'), `throw 1\nexport default pipeline('shop', {\n`)
  await writeFile(join(project, 'pipelines/made-up.ts'), `throw new Error('Tab runs no pipeline file')`)
  await writeFile(join(project, 'pipelines/types.d.ts'), '')
  await writeFile(join(project, 'sluice'), `#!/bin/sh\nexec '${process.execPath}' '${ROOT}/src/cli/main.ts' "$@"\n`)
  await chmod(join(project, 'sluice'), 0o755)
})
afterAll(async () => rm(project, { recursive: true, force: true }))

/** Returns the suggestions for the last of some words that are written with single spaces. */
function suggested(line: string): string {
  const { values, paths } = suggest(program(), line.split(' '), project)
  return [...values.map(({ value }) => value), ...(paths ? [`:${paths}`] : [])].join(' ')
}

test.each([
  ['ba', 'backfill'],
  ['rejects ', 'list replay drop help'],
  ['rejects re', 'replay'],
  ['help rejects re', 'replay'],
  ['run ', 'made-up shop :files'],
  ['run shop ma', 'made-up :files'],
  ['runs ', 'list resume abandon help'],
  ['status ', 'made-up shop :files'],
  ['run --ov', '--overlap'],
  ['run --overlap ', 'skip wait fail'],
  ['run --overlap=w', '--overlap=wait'],
  ['run --limit ', ''],
  ['run --summary-file ', ':files'],
  ['schedule --into ', ':folders'],
  // The streams of a pipeline are not known, and another pipeline would be taken for a stream.
  ['run shop --stream orders ', ''],
  ['run shop --stream orders --ov', '--overlap'],
  ['run --full s', 'shop :files'],
  ['run -- --o', ':files'],
  ['undelete shop s', ''],
  ['nothing of that ', ''],
])('after %j comes %j', (line, expected) => {
  expect(suggested(line)).toBe(expected)
})

test('every command is suggested, each with its description', () => {
  const all = program().commands.map((one) => ({ value: one.name(), description: one.description() }))
  expect(suggest(program(), [''], project).values).toEqual([
    ...all,
    { value: 'help', description: 'display help for command' },
  ])
})

/** Calls in one process what each shell calls on Tab after `sluice ba`, and prints what it would show. */
const ON_TAB: Readonly<Record<Shell, readonly string[]>> = {
  bash: ['--norc', '-c', 'eval "$SCRIPT"; COMP_WORDS=(sluice ba) COMP_CWORD=1; _sluice sluice; echo "${COMPREPLY[@]}"'],
  zsh: [
    '-fc',
    'compdef() {}; _describe() { print -l ${(P)2} }; eval "$SCRIPT"; words=(sluice ba) CURRENT=2; _sluice || true',
  ],
  fish: ['--no-config', '-c', 'echo $SCRIPT | source; complete -C "sluice ba"'],
}

const isThere = (shell: Shell): boolean => spawnSync(shell, ['--version']).status === 0

test.each(SHELLS.filter(isThere))('%s completes sluice ba to backfill, and loads no engine for it', async (shell) => {
  const env = {
    SCRIPT: SCRIPTS[shell],
    PATH: `${project}:${process.env['PATH']}`,
    NODE_V8_COVERAGE: join(project, shell),
  }
  const ended = await command(shell, ON_TAB[shell], { cwd: project, env })
  expect(ended).toMatchObject({ code: 0, stderr: '', stdout: expect.stringMatching(/^backfill(?:\n|[:\t]Read )/) })
  // Nobody waits for an engine on Tab.
  const [file] = await readdir(join(project, shell))
  const { result } = JSON.parse(await readFile(join(project, shell, file!), 'utf8')) as { result: { url: string }[] }
  const source = pathToFileURL(join(ROOT, 'src/')).href
  const loaded = result.map(({ url }) => url).filter((url) => url.startsWith(source))
  const others = loaded.filter((url) => !/^(?:cli|value|observe)\//.test(url.slice(source.length)))
  expect(others.map((url) => url.slice(source.length))).toEqual(['run/pipeline-file.ts'])
})

for (const shell of SHELLS.filter((one) => !isThere(one))) test.todo(`${shell} is skipped: it is not installed`)

test('sluice completion prints the script of a shell, and names the shells that there are', async () => {
  expect(await callSluice(['completion', 'fish'], { cwd: project })).toMatchObject({
    code: 0,
    stdout: `${SCRIPTS.fish}\n`,
  })
  expect(await callSluice(['completion', 'tcsh'], { cwd: project })).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('Allowed choices are bash, zsh, fish'),
  })
})
