// The server of the measurements as a process. It sends its resident memory when the parent asks for it.
import { serve } from '../src/index.ts'
import pipeline from './pipeline.ts'

const server = await serve(pipeline, { port: 0, database: process.argv[2]!, onError: (error) => console.error(error) })
process.send?.({ url: server.url })
process.on('message', () => process.send?.({ rss: process.memoryUsage.rss() }))
process.on('disconnect', () => process.exit())
