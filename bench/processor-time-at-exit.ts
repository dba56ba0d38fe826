// Imported before a measured program. Prints the processor time of the process at its exit, in seconds.
process.on('exit', () => {
  const { user, system } = process.cpuUsage()
  process.stderr.write(`\nprocessor time ${(user + system) / 1e6}\n`)
})
