import { config } from 'dotenv'

export { knownSecrets } from '../observe/known-secrets.ts'

/** Loads settings and secrets from `.env` in the working directory. A variable that is already set keeps its value. */
export function loadEnvironment(): void {
  config({ quiet: true })
}
