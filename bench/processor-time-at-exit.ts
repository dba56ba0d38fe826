// Imported before a program that is measured: says at its end how much processor time it has used.
process.on('exit', () => {
  const { user, system } = process.cpuUsage()
  process.stderr.write(`\nprocessor time ${(user + system) / 1e6}\n`)
})
