// Sets the theme before the first paint, so that a dark page does not flash light. Modules would run too late.
{
  let chosen = null
  try {
    chosen = localStorage.getItem('theme')
  } catch {
    // The browser has no storage: the theme of the system applies.
  }
  if (chosen === 'light' || chosen === 'dark') document.documentElement.dataset.theme = chosen
}
