/** Returns the paths of all functions in a recipe, such as `stages.0.fn`. A recipe without any can be data. */
export function functionsIn(value: unknown, place = ''): string[] {
  if (typeof value === 'function') return [place]
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, member]) => functionsIn(member, place ? `${place}.${name}` : name))
}
