// @ts-check

/**
 * Ask again when something has happened, at most once in `ms`, never twice at once; what happens meanwhile is asked for
 * afterwards.
 * @param {() => Promise<void>} work
 * @param {number} ms
 * @param {AbortSignal} signal ends it
 */
export function throttled(work, ms, signal) {
  let [isBusy, isWanted, last] = [false, false, 0]
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer
  const go = async () => {
    timer = undefined
    isBusy = true
    isWanted = false
    // What could not be asked stays as it is: the summary fails too then, and the banner says that the page is not
    // live.
    await work().catch(() => {})
    last = Date.now()
    isBusy = false
    if (isWanted) ask()
  }
  function ask() {
    if (signal.aborted) return
    if (isBusy) isWanted = true
    else timer ??= setTimeout(() => void go(), Math.max(0, last + ms - Date.now()))
  }
  signal.addEventListener('abort', () => clearTimeout(timer))
  return { ask }
}
