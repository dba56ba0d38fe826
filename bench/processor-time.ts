import { readdirSync, readFileSync } from 'node:fs'

const TICKS_PER_SECOND = 100

/** Returns the processor seconds of a process and its descendants, including those that have ended. Linux only. */
export function processorTime(pid: number): number {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .map(statOf)
    .filter((stat) => stat !== undefined)
  const mine = new Set([pid])
  for (let grown = true; grown;) {
    grown = false
    for (const { pid, parent } of all) if (mine.has(parent) && !mine.has(pid)) grown = Boolean(mine.add(pid))
  }
  return all.filter(({ pid }) => mine.has(pid)).reduce((sum, { ticks }) => sum + ticks, 0) / TICKS_PER_SECOND
}

function statOf(pid: number): { pid: number; parent: number; ticks: number } | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    // `man proc`: field 4 is the parent; 14 to 17 are user and system time of the process and of its ended children.
    return { pid, parent: Number(fields[1]), ticks: [11, 12, 13, 14].reduce((sum, at) => sum + Number(fields[at]), 0) }
  } catch {
    return undefined
  }
}
