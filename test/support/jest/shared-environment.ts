import { ModuleMocker } from 'jest-mock'
import { keepProcess } from './process-state.ts'

/**
 * Environment of a test file that runs in the global object of its process, beside the modules of `src`, which are
 * loaded once for all files of the process: loading them for each file took most of the time. After the file, the
 * process is what it was before.
 *
 * What `src` remembers in a module lasts beyond a test file. A file that needs it fresh, or that fakes timers, begins
 * with `@jest-environment ./test/support/jest/isolated-environment.ts`.
 */
export default class SharedEnvironment {
  /** What Jest puts on the global object. Nothing of it is for tests, which import `@jest/globals`. */
  readonly global: Record<PropertyKey, unknown> = {}
  readonly moduleMocker = new ModuleMocker(globalThis)
  readonly fakeTimers = null
  readonly fakeTimersModern = null
  #restore = (): void => {}

  async setup(): Promise<void> {
    this.#restore = keepProcess()
    // Output of a test is shown below the name of its file.
    globalThis.console = this.global['console'] as Console
    // Jest's own looks for source maps. Ours need none: types become spaces.
    Reflect.deleteProperty(Error, 'prepareStackTrace')
  }

  async teardown(): Promise<void> {
    this.#restore()
  }

  getVmContext(): null {
    return null
  }
}
