/** Its own types know each event by itself only. */
const emitter: NodeJS.EventEmitter = process
const EVENTS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'warning'] as const

/** Symbols by which jest-circus keeps the tests of a file on the global object. */
const OF_CIRCUS = new Set([
  'EVENT_HANDLERS',
  'JEST_STATE_SYMBOL',
  'TEST_TIMEOUT_SYMBOL',
  'RETRY_TIMES',
  'RETRY_TIMES_SETTER',
  'sluice.jest.globals',
])

/**
 * Returns a function that makes the process what it is now: environment, working directory, exit code, listeners of
 * signals and warnings, and the global object. Packages keep what they put there by symbols: they are loaded once.
 */
export function keepProcess(): () => void {
  const { exitCode } = process
  const directory = process.cwd()
  const environment = { ...process.env }
  const listeners = EVENTS.map((name) => [name, emitter.rawListeners(name)] as const)
  const globals = Object.getOwnPropertyDescriptors(globalThis) as Globals
  return () => {
    process.exitCode = exitCode
    process.chdir(directory)
    for (const name of Object.keys(process.env)) if (!(name in environment)) Reflect.deleteProperty(process.env, name)
    for (const [name, value] of Object.entries(environment)) if (process.env[name] !== value) process.env[name] = value
    for (const [name, before] of listeners) {
      for (const listener of emitter.rawListeners(name))
        if (!before.includes(listener)) emitter.off(name, listener as () => void)
    }
    restoreGlobals(globals)
  }
}

type Globals = Readonly<Record<PropertyKey, PropertyDescriptor>>

function restoreGlobals(before: Globals): void {
  for (const key of Reflect.ownKeys(globalThis)) {
    if (Object.hasOwn(before, key) || (typeof key === 'symbol' && !OF_CIRCUS.has(key.description ?? ''))) continue
    Reflect.deleteProperty(globalThis, key)
  }
  for (const [key, descriptor] of Object.entries(before)) {
    // An accessor becomes a value when it is read first.
    if (!('value' in descriptor)) continue
    const now = Object.getOwnPropertyDescriptor(globalThis, key)
    if (now?.value !== descriptor.value) Object.defineProperty(globalThis, key, descriptor)
  }
}
