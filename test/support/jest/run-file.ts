import { createRequire } from 'node:module'
import type { ModuleMocker } from 'jest-mock'
import { ownModules } from './own-modules.ts'
import SharedEnvironment from './shared-environment.ts'

/** Runs a test file, and returns its results. The runtime loads modules. */
type RunFile = (
  globalConfig: unknown,
  config: unknown,
  environment: object,
  runtime: object,
  path: string,
  sendMessageToJest?: unknown,
) => Promise<unknown>

const { default: runByCircus } = createRequire(import.meta.url)('jest-circus/runner') as { readonly default: RunFile }

/**
 * Runs a test file by jest-circus, as Jest does by default. In a shared environment, Node loads the modules instead of
 * Jest, which would load all of them for each test file.
 */
const runFile: RunFile = (globalConfig, config, environment, runtime, path, sendMessageToJest) => {
  const run = (loader: object): Promise<unknown> =>
    runByCircus(globalConfig, config, environment, loader, path, sendMessageToJest)
  if (!(environment instanceof SharedEnvironment)) return run(runtime)
  const modules = ownModules()
  const require = createRequire(path)
  const running = run({
    // It holds the tests of one file.
    requireInternalModule: (internal: string): unknown => {
      Reflect.deleteProperty(require.cache, internal)
      return require(internal)
    },
    requireModule: require,
    setGlobalsForRuntime: (globals: object) => {
      const jest = jestOf(environment.moduleMocker, path)
      Object.assign(globalThis, { [Symbol.for('sluice.jest.globals')]: { ...globals, jest } })
    },
    unstable_shouldLoadAsEsm: () => true,
    unstable_importModule: modules.import,
    enterTestCode: () => {},
    leaveTestCode: () => {},
  })
  // By `await`, this file would stand in stack traces.
  return running.finally(() => modules[Symbol.dispose]())
}

export default runFile

/** Returns the functions of `jest` that need no module loader of Jest and no timers of a test's own. */
function jestOf(mocker: ModuleMocker, path: string): object {
  const jest: Record<string, unknown> = {
    fn: mocker.fn.bind(mocker),
    spyOn: mocker.spyOn.bind(mocker),
    mocked: mocker.mocked.bind(mocker),
    replaceProperty: mocker.replaceProperty.bind(mocker),
    clearAllMocks: () => mocker.clearAllMocks(),
    resetAllMocks: () => mocker.resetAllMocks(),
    restoreAllMocks: () => mocker.restoreAllMocks(),
    setTimeout: (ms: number) => Object.assign(globalThis, { [Symbol.for('TEST_TIMEOUT_SYMBOL')]: ms }),
  }
  return new Proxy(jest, {
    get: (_, name) => {
      if (typeof name === 'symbol' || Object.hasOwn(jest, name)) return jest[name as string]
      throw new TypeError(
        `jest.${name} needs an environment of its own. Begin ${path} with ` +
          '/** @jest-environment ./test/support/jest/isolated-environment.ts */',
      )
    },
  })
}
