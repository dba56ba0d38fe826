/** Where in a recipe there are functions: `stages.0.fn`. Where there are none, it can be written as data. */
export function functionsIn(value: unknown, place = ''): string[] {
  if (typeof value === 'function') return [place]
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, member]) => functionsIn(member, place ? `${place}.${name}` : name))
}
