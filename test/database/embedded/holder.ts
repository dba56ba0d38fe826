// Uses the embedded server like a command: prints its URL, and leaves it when stdin ends.
import { text } from 'node:stream/consumers'
import { embeddedDatabase } from '../../../src/database/embedded/embedded-database.ts'

await using server = await embeddedDatabase({ dir: process.argv[2]!, durable: false })
process.stdout.write(`${server.url}\n`)
await text(process.stdin)
