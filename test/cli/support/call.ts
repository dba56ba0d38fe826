import { jest } from '@jest/globals'
import { program } from '../../../src/cli/program/program.ts'
import type { Ended } from './command.ts'

/** Thrown instead of exiting the process of the tests. */
class ExitError extends Error {
  readonly code: number
  constructor(code: number) {
    super(`exit ${code}`)
    this.code = code
  }
}

/**
 * Calls `sluice …` in this process, which takes a few milliseconds where a process of its own takes half a second.
 * Calls must not overlap, because they share the working directory, the environment and the output. A pipeline file is
 * imported once per folder, with the environment of the first call.
 */
export async function callSluice(
  args: readonly string[],
  { cwd, env = {} }: { readonly cwd: string; readonly env?: Readonly<Record<string, string>> },
): Promise<Ended> {
  const output = { stdout: '', stderr: '' }
  const before = { cwd: process.cwd(), env: { ...process.env }, exitCode: process.exitCode }
  const append =
    (name: 'stdout' | 'stderr', end: string) =>
    (...parts: unknown[]): true => {
      output[name] += parts.map(String).join(' ') + end
      return true
    }
  const write =
    (name: 'stdout' | 'stderr') =>
    (text: unknown, ...rest: unknown[]): boolean => {
      append(name, '')(text)
      const done = rest.find((one) => typeof one === 'function') as (() => void) | undefined
      if (done) queueMicrotask(done)
      return true
    }
  const spies = [
    jest.spyOn(console, 'log').mockImplementation(append('stdout', '\n')),
    jest.spyOn(console, 'error').mockImplementation(append('stderr', '\n')),
    jest.spyOn(process.stdout, 'write').mockImplementation(write('stdout')),
    jest.spyOn(process.stderr, 'write').mockImplementation(write('stderr')),
    jest.spyOn(process, 'exit').mockImplementation((code) => {
      throw new ExitError(Number(code))
    }),
  ]
  process.chdir(cwd)
  setEnvironment({ PATH: before.env['PATH'] ?? '', NO_COLOR: '1', ...env })
  try {
    await program().parseAsync(args, { from: 'user' })
    return { ...output, code: Number(process.exitCode) }
  } catch (error) {
    if (!(error instanceof ExitError)) throw error
    return { ...output, code: error.code }
  } finally {
    for (const spy of spies) spy.mockRestore()
    setEnvironment(before.env)
    process.exitCode = before.exitCode
    process.chdir(before.cwd)
  }
}

function setEnvironment(variables: Readonly<Record<string, string | undefined>>): void {
  for (const name of Object.keys(process.env)) Reflect.deleteProperty(process.env, name)
  for (const [name, value] of Object.entries(variables)) if (value !== undefined) process.env[name] = value
}
