/** Something that is given back once, however often it is disposed. */
export function giveBackOnce(giveBack: () => void): Disposable {
  let isGivenBack = false
  return {
    [Symbol.dispose]: () => {
      if (isGivenBack) return
      isGivenBack = true
      giveBack()
    },
  }
}
