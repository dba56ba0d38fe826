import vm from 'node:vm'
import { TestEnvironment } from 'jest-environment-node'
import { compileOnce } from './compile-once.ts'

compileOnce()

/**
 * Jest's own environment, in a context whose global object is an ordinary one. Jest's is a proxy behind an interceptor
 * of V8, so that each use of `Object`, `Promise` or `undefined` in a tested module is a call of both.
 */
export default class Environment extends TestEnvironment {
  constructor(...given: ConstructorParameters<typeof TestEnvironment>) {
    const { createContext } = vm
    vm.createContext = () => createContext(vm.constants.DONT_CONTEXTIFY)
    try {
      super(...given)
    } finally {
      vm.createContext = createContext
    }
  }
}
