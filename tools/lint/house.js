// Rules of this house that oxlint does not have.

const MAX_LINE = 120

/** Limits lines to 120 columns, with comments, messages and test titles, which the formatter does not break. */
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
