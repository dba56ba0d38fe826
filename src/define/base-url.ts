import { UsageError } from '../model/errors.ts'

/**
 * An API's base that a variable of the environment may replace: a company's own installation, a proxy, a local server
 * in a test. `http(baseUrl('GITHUB_API', 'https://api.github.com'))`; the variable is read when the pipeline is
 * imported.
 */
export function baseUrl(variable: string, otherwise: string): string {
  const given = process.env[variable]
  if (given === undefined || given === '') return otherwise
  if (isHttp(given)) return given
  // What was given is left out of the message: a URL may carry credentials.
  throw new UsageError(
    `${variable} in the environment is no URL: write scheme and host, as in ${otherwise}, or leave it out`,
  )
}

const isHttp = (text: string): boolean => /^https?:\/\//.test(text) && URL.canParse(text)
