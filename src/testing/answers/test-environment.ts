import { SECRET_KEY } from '../../model/secrets-of.ts'

/** Variables with values for a test. */
export type TestVariables = Readonly<Record<string, string | undefined>>

/** Names that are no secrets of an API: Sluice's own settings. */
const OWN = /^(?:DATABASE_|SLUICE_|PG)|_FILE$/

/** The key that tokens are encrypted with in a temporary database. */
const TEST_KEY = Buffer.alloc(32).toString('base64')

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
        if (name === SECRET_KEY) return TEST_KEY
        return OWN.test(name) || Object.hasOwn(secrets, `${name}_FILE`) ? undefined : `test-${name}`
      },
    },
  )
