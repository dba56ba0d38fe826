import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, test } from '@jest/globals'
import { displayWidth } from '../../src/cli/output/display-width.ts'
import { program } from '../../src/cli/program/program.ts'
import { HELP_EXAMPLES } from '../../src/cli/program/help-examples.ts'
import { helpText } from '../../src/cli/program/help-text.ts'
import { ROOT, sluice } from './support/command.ts'

test('help loads nothing of what commands do, so it comes at once', async () => {
  const traces = await mkdtemp(join(tmpdir(), 'sluice-help-'))
  try {
    expect(
      await sluice(['run', '--help'], { cwd: traces, env: { NODE_V8_COVERAGE: join(traces, 'loaded') } }),
    ).toMatchObject({ code: 0 })
    const [file] = await readdir(join(traces, 'loaded'))
    const { result } = JSON.parse(await readFile(join(traces, 'loaded', file!), 'utf8')) as {
      result: { url: string }[]
    }
    const root = pathToFileURL(join(ROOT, '/')).href
    const ours = result
      .map(({ url }) => url)
      .filter((url) => url.startsWith(root))
      .map((url) => url.slice(root.length))
    expect(ours.filter((url) => !url.startsWith('node_modules/commander/')).toSorted()).toEqual([
      'src/cli/completion/shells.ts',
      'src/cli/main.ts',
      'src/cli/module-type-warnings.ts',
      'src/cli/output/display-width.ts',
      'src/cli/output/wrap-text.ts',
      'src/cli/own-package.ts',
      'src/cli/program/add-command.ts',
      'src/cli/program/help-examples.ts',
      'src/cli/program/help-text.ts',
      'src/cli/program/inspect-commands.ts',
      'src/cli/program/ledger-commands.ts',
      'src/cli/program/ledger-examples.ts',
      'src/cli/program/program.ts',
      'src/cli/program/service-commands.ts',
      'src/cli/program/start-commands.ts',
      'src/cli/program/sync-commands.ts',
      'src/observe/package-root.ts',
      'src/value/duration.ts',
      'src/value/error.ts',
      'src/value/port.ts',
      'src/value/size.ts',
    ])
  } finally {
    await rm(traces, { recursive: true, force: true })
  }
})

test('help explains each command in lines of 80 columns that break between words', () => {
  for (const [name, help] of Object.entries(HELP_EXAMPLES)) {
    const [lines, words] = [helpText(help, 80).split('\n'), helpText(help, 1_000).split(/\s+/)]
    const commands = help.examples.map(([command]) => `  ${command}`)
    const prose = lines.filter((line) => !commands.includes(line) && !line.startsWith('  curl '))
    expect({ name, wide: prose.filter((line) => displayWidth(line) > 80) }).toEqual({ name, wide: [] })
    expect(lines.join('\n').split(/\s+/)).toEqual(words)
  }
})

test('every command has examples in its help', () => {
  const commands = program().commands.flatMap((command) => [
    command.name(),
    ...command.commands.map((one) => `${command.name()} ${one.name()}`),
  ])
  expect(Object.keys(HELP_EXAMPLES).toSorted()).toEqual(['sluice', ...commands].toSorted())
})

test("an option's former name is refused with the new one", async () => {
  const ended = await sluice(['serve', '--allow-host', 'example.org'], { cwd: ROOT })
  expect(ended).toMatchObject({
    code: 2,
    stdout: '',
    stderr: expect.stringContaining('--allow-host was renamed: write --allowed-host'),
  })
})
