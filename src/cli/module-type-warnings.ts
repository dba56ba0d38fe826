/**
 * Hides Node's warnings that a pipeline file is in a package without `"type": "module"`. If the file cannot be loaded,
 * our own error says so; otherwise there is nothing to do.
 */
export function hideModuleTypeWarnings(): void {
  const listeners = process.listeners('warning')
  process.removeAllListeners('warning')
  process.on('warning', (warning) => {
    if (!isAboutModuleType(warning)) for (const listener of listeners) listener.call(process, warning)
  })
}

const isAboutModuleType = ({ message, code }: Error & { readonly code?: string }): boolean =>
  code === 'MODULE_TYPELESS_PACKAGE_JSON' || message.startsWith('Failed to load the ES module: ')
