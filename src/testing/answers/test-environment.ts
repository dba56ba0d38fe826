/** Variables with values for a test. */
export type TestVariables = Readonly<Record<string, string | undefined>>

/** Names that are no secrets of an API: Sluice's own settings. */
const OWN = /^(?:DATABASE_|SLUICE_|PG)|_FILE$/

/**
 * Returns an environment in which each secret has a value: `test-NAME`, unless the test gives another one. So a test
 * needs no real secret, and sends none.
 */
export const testEnvironment = (secrets: TestVariables): TestVariables =>
  new Proxy<TestVariables>(
    {},
    {
      get: (_, name) => {
        if (typeof name !== 'string') return undefined
        if (Object.hasOwn(secrets, name)) return secrets[name]
        return OWN.test(name) || Object.hasOwn(secrets, `${name}_FILE`) ? undefined : `test-${name}`
      },
    },
  )
