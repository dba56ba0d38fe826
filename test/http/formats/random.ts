export { seeded as randomOf } from '../../kill/job.ts'

/** Cuts bytes at random places. */
export function cutAnywhere(bytes: Buffer, random: () => number): Buffer[] {
  const parts: Buffer[] = []
  for (let at = 0; at < bytes.length;) {
    const to = Math.min(bytes.length, at + 1 + Math.floor(random() * random() * 40))
    parts.push(bytes.subarray(at, to))
    at = to
  }
  return parts
}
