/** Heavy work, one record at a time: what a module for `.offload` looks like. */
export default function score({ type }: { type: string }): { type: string; score: number } {
  if (type === '') throw new RangeError('no type to score')
  return { type, score: type.length }
}
