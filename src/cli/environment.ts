import { config } from 'dotenv'

export { knownSecrets } from '../observe/known-secrets.ts'

/** Take settings and secrets from `.env` of the working directory; what stands in the environment wins. */
export function loadEnvironment(): void {
  config({ quiet: true })
}
