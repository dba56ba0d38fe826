/** The highest port of a machine. */
export const MAX_PORT = 65_535

/** True for the number of a port; 0 takes any free one. */
export const isPort = (port: number): boolean => Number.isInteger(port) && port >= 0 && port <= MAX_PORT

/**
 * Returns why a URL cannot be parsed, if it is its port; else an empty text. It goes behind what the URL is not.
 *
 * @example
 * portProblem('http://127.0.0.1:99999/x') // ', because the port 99999 is above 65535'
 */
export function portProblem(url: string): string {
  const [, port] = /^[a-z][a-z\d+.-]*:\/\/(?:[^/?#]*@)?[^/?#@]*:(\d+)(?:[/?#]|$)/i.exec(url) ?? []
  return port !== undefined && Number(port) > MAX_PORT ? `, because the port ${port} is above ${MAX_PORT}` : ''
}
