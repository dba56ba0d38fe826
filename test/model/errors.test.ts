import { expect, test } from '@jest/globals'
import * as errors from '../../src/model/errors.ts'

const classes = Object.entries(errors).filter(([, exported]) => exported.prototype instanceof Error)

test.each(classes)('%s carries the name of its class on its own prototype', (name, type) => {
  const prototype = type.prototype as Error
  expect(Object.hasOwn(prototype, 'name')).toBe(true)
  expect(prototype.name).toBe(name)
})
