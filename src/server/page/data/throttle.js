// @ts-check

/**
 * Calls `work` after `ask`, at most once in `ms` and never concurrently. An `ask` during `work` calls it once more.
 * @param {() => Promise<void>} work
 * @param {number} ms
 * @param {AbortSignal} signal ends it
 */
export function throttle(work, ms, signal) {
  let [isBusy, isWanted, last] = [false, false, 0]
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer
  const go = async () => {
    timer = undefined
    isBusy = true
    isWanted = false
    // After a failure the view stays as it is. The summary fails as well, and the banner reports it.
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
