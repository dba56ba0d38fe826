/**
 * Returns a name as it stands in the name of a variable: `north-east` is NORTH_EAST, and `baseUrl` is BASE_URL.
 *
 * @example
 * variablePart('baseUrl') // 'BASE_URL'
 */
export const variablePart = (name: string): string =>
  name
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replaceAll(/\W+/g, '_')
    .replaceAll('-', '_')
    .toUpperCase()
