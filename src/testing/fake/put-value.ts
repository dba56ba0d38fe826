/** Writes a value to a path. A name that begins with `@`, such as `@odata.nextLink`, keeps its dots. */
export function putValue(body: Record<string, unknown>, path: string, value: unknown): void {
  const dot = path.startsWith('@') ? -1 : path.indexOf('.')
  if (dot < 0) {
    body[path] = value
    return
  }
  const name = path.slice(0, dot)
  const below = { ...(body[name] as Record<string, unknown> | undefined) }
  putValue(below, path.slice(dot + 1), value)
  body[name] = below
}
