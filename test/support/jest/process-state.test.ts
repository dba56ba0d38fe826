import { expect, test } from '@jest/globals'
import { tmpdir } from 'node:os'
import { keepProcess } from './process-state.ts'

test('a test file leaves the process as it was', () => {
  const directory = process.cwd()
  const listeners = process.listenerCount('SIGINT')
  const { setTimeout } = globalThis
  const path = process.env['PATH']
  const restore = keepProcess()
  process.chdir(tmpdir())
  process.on('SIGINT', () => undefined)
  Object.assign(process.env, { PATH: 'nowhere', SLUICE_TEST_ADDED: 'added' })
  Object.assign(globalThis, { setTimeout: () => undefined, sluiceTestAdded: 1 })
  restore()
  expect(process.cwd()).toBe(directory)
  expect(process.listenerCount('SIGINT')).toBe(listeners)
  expect(process.env).toMatchObject({ PATH: path })
  expect(process.env).not.toHaveProperty('SLUICE_TEST_ADDED')
  expect(globalThis.setTimeout).toBe(setTimeout)
  expect(globalThis).not.toHaveProperty('sluiceTestAdded')
})

test('a stack trace names the file and the line as they are on the disk', () => {
  const [, frame] = new Error('here').stack!.split('\n')
  expect(frame).toContain(`${import.meta.filename}:25:`)
})
