// Before anything is painted, so that a dark page does not flash light. A plain script: modules run too late for that.
{
  let chosen = null
  try {
    chosen = localStorage.getItem('theme')
  } catch {
    // A browser that keeps nothing for us: the system's theme it is.
  }
  if (chosen === 'light' || chosen === 'dark') document.documentElement.dataset.theme = chosen
}
