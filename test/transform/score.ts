/** A module for `.offload`: work on one record at a time. */
export default function score({ type }: { type: string }): { type: string; score: number } {
  if (type === '') throw new RangeError('no type to score')
  return { type, score: type.length }
}
