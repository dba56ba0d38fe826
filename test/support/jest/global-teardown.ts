import { shared } from './global-setup.ts'

export default async function teardown(): Promise<void> {
  await shared.stop?.()
}
