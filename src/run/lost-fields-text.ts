/** Returns the text about fields that had values in earlier readings and have none any more. */
export function lostFieldsText(fields: readonly string[]): string {
  const [first] = fields
  const one = fields.length === 1
  const settings = fields.map((field) => `${JSON.stringify(field)}: false`).join(', ')
  return (
    `${one ? `the field ${first} has` : `the fields ${fields.join(', ')} have`} no value any more, ` +
    `and earlier readings brought some. Check whether the API has renamed ${one ? 'it' : 'them'}. ` +
    `If ${one ? 'it is' : 'they are'} gone for good, leave ${one ? 'it' : 'them'} out with columns: { ${settings} }`
  )
}
