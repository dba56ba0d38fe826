import { urlOf, type Addresses } from '../address.ts'

/** Returns the path by which waits are kept, of an endpoint with `{}` in place of its values. */
export function limitedPath(addresses: Addresses, endpoint: string): string {
  return normalized(urlOf(addresses, { url: endpoint, query: {} }).pathname)
}

/** Returns the path of a URL by which waits are kept. On another origin than the API's it begins with that origin. */
export function limitedPathOf({ pathname, origin }: URL, isOwn: boolean): string {
  return isOwn ? normalized(pathname) : origin + normalized(pathname)
}

/** Removes a slash at the end, and decodes the braces that stand for values and for secrets. */
function normalized(path: string): string {
  const plain = path
    .replace(/%7b/gi, '{')
    .replace(/%7d/gi, '}')
    .replace(/\/{2,}/g, '/')
  return plain.length > 1 ? plain.replace(/\/$/, '') : plain
}
