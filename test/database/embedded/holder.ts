// One command's part of the embedded server: says where it is, and leaves it as soon as its input ends.
import { text } from 'node:stream/consumers'
import { embeddedDatabase } from '../../../src/database/embedded/embedded-database.ts'

await using server = await embeddedDatabase({ dir: process.argv[2]!, durable: false })
process.stdout.write(`${server.url}\n`)
await text(process.stdin)
