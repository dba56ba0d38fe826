/** Returns a record whose fields read as their names, so that a child's path is shown as `/topics/{id}/posts`. */
export const placeholder = (name = ''): unknown =>
  new Proxy(
    {},
    {
      get: (_, field) => {
        if (field === Symbol.toPrimitive || field === 'toString' || field === 'toJSON') return () => `{${name}}`
        return typeof field === 'symbol' ? undefined : placeholder(name ? `${name}.${field}` : field)
      },
    },
  )
