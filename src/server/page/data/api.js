// @ts-check

/** What the server says when it cannot do what was asked: place, fault and remedy, in words for people. */
export class Refused extends Error {
  /** @param {number} status @param {{ place?: string, fault?: string, remedy?: string }} said */
  constructor(status, { place = '', fault = `the server answered ${status}`, remedy = '' }) {
    super(remedy === '' ? fault : `${fault}: ${remedy}`)
    this.status = status
    this.place = place
  }
}

/**
 * What the ledger says; the caller names its type.
 * @template T
 * @param {string} path
 * @returns {Promise<T>}
 */
export const get = async (path) => /** @type {T} */ (await ask(path, {}))

/**
 * Asked for once, however often the answer is lost: a second try with the same key starts nothing twice.
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
  // The token has changed, or the cookie is gone: the page itself asks for it.
  if (response.status === 401) location.reload()
  /** @type {unknown} */
  const answer = await response.json().catch(() => ({}))
  if (!response.ok) throw new Refused(response.status, /** @type {{ error?: object }} */ (answer)?.error ?? {})
  return answer
}

/**
 * A path with what is to be found, without what is not said. @param {string} path @param {Record<string, string |
 * number | undefined | null>} query
 */
export function address(path, query) {
  const said = Object.entries(query).flatMap(([name, value]) =>
    value === undefined || value === null || value === '' ? [] : [[name, String(value)]],
  )
  return said.length === 0 ? path : `${path}?${new URLSearchParams(said)}`
}
