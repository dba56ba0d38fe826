// Writes docs/ERRORS.md.
import { writeFile } from 'node:fs/promises'
import { errorsPage } from '../src/cli/explain/explanations.ts'

await writeFile(new URL('../docs/ERRORS.md', import.meta.url), errorsPage())
