import { threadId } from 'node:worker_threads'

interface Asked {
  readonly n: number
}
export default function square({ n }: Asked): { n: number; thread: number } {
  return { n: n * n, thread: threadId }
}
