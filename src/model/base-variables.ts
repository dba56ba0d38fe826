// The variables of the environment that name APIs, for the remedy of a connection that failed.
import { isIP } from 'node:net'

/** Base URLs by the variable that may replace them. They belong to pipeline files, which are imported once. */
const bases = new Map<string, string>()

/** Remembers that a variable names this base of an API. */
export function rememberBase(variable: string, base: string): void {
  bases.set(variable, base)
}

/** Returns the variable whose base could not be reached, by the error of the connection; undefined if none is sure. */
export function variableOfBase(cause: unknown): string | undefined {
  const failures: unknown[] = cause instanceof AggregateError ? [cause, ...(cause.errors as unknown[])] : [cause]
  const found = [...bases].filter(([, base]) => failures.some((failure) => isOf(failure, base)))
  return found.length === 1 ? found[0]?.[0] : undefined
}

function isOf(failure: unknown, base: string): boolean {
  if (!Error.isError(failure) || !URL.canParse(base)) return false
  const { protocol, hostname, port } = new URL(base)
  const host = hostname.replace(/^\[|\]$/g, '')
  const {
    hostname: unknown,
    address,
    port: refused,
  } = failure as { hostname?: unknown; address?: unknown; port?: unknown }
  if (unknown !== undefined) return unknown === host
  if (refused !== Number(port || (protocol === 'https:' ? 443 : 80))) return false
  // A name was looked up, and the error has its address only.
  return isIP(host) === 0 || address === host
}
