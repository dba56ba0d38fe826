import { SCRIPTS } from '../../completion/scripts.ts'
import type { Shell } from '../../completion/shells.ts'

/** `sluice completion`: prints the script that makes a shell complete the words of a command line. */
export function completionCommand([shell]: [Shell]): Promise<number> {
  console.log(SCRIPTS[shell])
  return Promise.resolve(0)
}
