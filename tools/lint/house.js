// Rules of this house that oxlint does not have.

const MAX_LINE = 120

/** No line is longer than 120 columns: comments, messages and test titles included, which the formatter leaves alone. */
const maxLineLength = {
  meta: { schema: [] },
  create: (context) => ({
    Program() {
      for (const [index, line] of context.sourceCode.lines.entries()) {
        if (line.length <= MAX_LINE || /https?:\/\/\S+$/.test(line)) continue
        const at = { line: index + 1, column: MAX_LINE }
        context.report({
          loc: { start: at, end: { line: index + 1, column: line.length } },
          message: `This line has ${line.length} columns; ${MAX_LINE} is the limit`,
        })
      }
    },
  }),
}

export default { meta: { name: 'house' }, rules: { 'max-line-length': maxLineLength } }
