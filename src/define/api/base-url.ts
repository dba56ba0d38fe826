import { rememberBase } from '../../model/base-variables.ts'
import { UsageError } from '../../model/errors.ts'
import { portProblem } from '../../value/port.ts'

/**
 * Returns the base of an API, or the value of an environment variable in its place: a company's own installation, a
 * proxy, or a local server in a test. The variable is read when the pipeline is imported.
 *
 * @example
 * http(baseUrl('GITHUB_API', 'https://api.github.com'))
 */
export function baseUrl(variable: string, otherwise: string): string {
  const given = process.env[variable]
  const isGiven = given !== undefined && given !== ''
  const base = isGiven ? given : otherwise
  if (!isGiven || isHttp(given)) {
    rememberBase(variable, base)
    return base
  }
  // The message leaves the value out: a URL may contain credentials.
  throw new UsageError(
    `${variable} in the environment is not a URL${portProblem(given)}. ` +
      `Write scheme and host, as in ${otherwise}, or remove the variable`,
  )
}

const isHttp = (text: string): boolean => /^https?:\/\//.test(text) && URL.canParse(text)
