/** Returns the columns of the terminal on stdout, or 80 if stdout is no terminal or does not know. */
export const terminalWidth = (): number => (process.stdout.isTTY && process.stdout.columns) || 80
