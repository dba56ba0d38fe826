import { threadId } from 'node:worker_threads'

interface Input {
  readonly n: number
}
export default function square({ n }: Input): { n: number; thread: number } {
  return { n: n * n, thread: threadId }
}
