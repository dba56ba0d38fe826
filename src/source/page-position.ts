import type { Page, Position } from '../model/page.ts'
import { defined } from '../value/defined.ts'

/** Returns the page with another position, or without one. */
export function positioned(page: Page, position: Position | undefined): Page {
  const { position: _position, ...rest } = page
  return { ...rest, ...defined({ position }) }
}
