import { Database } from '../../src/database/database.ts'
import { quoteIdentifier } from '../../src/database/quote.ts'

/**
 * Stores the password anew, hashed once and not 4096 times: the tests open thousands of connections, and half of the
 * processor time of each was that, here and in the server.
 */
export async function cheapPassword(url: string): Promise<void> {
  await using server = new Database({ url, max: 1 })
  const { username, password } = new URL(url)
  const role = quoteIdentifier(username)
  await server.query(`set scram_iterations = 1; alter role ${role} password '${decodeURIComponent(password)}'`)
}
