// @ts-check

/** @typedef {import('../../schemas/resources.ts').ProblemAnswer} ProblemAnswer */

/** The server could not fulfil a request; its message is the problem and the remedy, for people. */
export class ProblemError extends Error {
  /** @param {number} status @param {Partial<ProblemAnswer['error']>} error */
  constructor(status, { problem = `the server answered ${status}`, remedy = '' }) {
    super(remedy === '' ? problem : `${problem}: ${remedy}`)
    this.status = status
  }
}

/**
 * Gets a resource; the caller names its type.
 * @template T
 * @param {string} path
 * @returns {Promise<T>}
 */
export const get = async (path) => /** @type {T} */ (await ask(path, {}))

/**
 * Posts a request. A repetition with the same key starts nothing twice.
 * @param {string} path @param {object} body @param {string} key
 * @returns {Promise<{ run: string }>}
 */
export const post = async (path, body, key) =>
  /** @type {{ run: string }} */ (
    await ask(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': key },
      body: JSON.stringify(body),
    })
  )

/** @param {string} path @param {RequestInit} options @returns {Promise<unknown>} */
async function ask(path, options) {
  const response = await fetch(path, { ...options, signal: AbortSignal.timeout(20_000) }).catch((error) => {
    throw new Error(
      error instanceof DOMException && error.name === 'TimeoutError'
        ? 'the server has not answered for 20 s'
        : 'the server cannot be reached',
      { cause: error },
    )
  })
  // The token has changed, or the cookie has expired: a reload shows the login form.
  if (response.status === 401) location.reload()
  /** @type {unknown} */
  const answer = await response.json().catch(() => ({}))
  if (!response.ok) throw new ProblemError(response.status, /** @type {Partial<ProblemAnswer>} */ (answer)?.error ?? {})
  return answer
}

/**
 * Adds a query to a path; members without a value are left out. @param {string} path @param {Record<string, string |
 * number | undefined | null>} query
 */
export function address(path, query) {
  const said = Object.entries(query).flatMap(([name, value]) =>
    value === undefined || value === null || value === '' ? [] : [[name, String(value)]],
  )
  return said.length === 0 ? path : `${path}?${new URLSearchParams(said)}`
}
