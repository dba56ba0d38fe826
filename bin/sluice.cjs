#!/usr/bin/env -S node --max-semi-space-size=16
'use strict'
// oxlint-disable typescript/no-unsafe-assignment -- Plain JavaScript has no types.
// An old Node can parse this file, and prints which version is needed. The flag above bounds the young generation of
// the heap; it has no effect if it is set later.
const needed = [24, 9]
const found = process.versions.node.split('.').map(Number)
if (found[0] < needed[0] || (found[0] === needed[0] && found[1] < needed[1])) {
  console.error(
    'sluice: this Node is ' +
      process.versions.node +
      ' (' +
      process.execPath +
      '), and ' +
      needed.join('.') +
      ' or newer is needed. Install it, or put it first on your PATH',
  )
  process.exitCode = 2
} else {
  // A clone runs its TypeScript sources, an installed package its compiled files.
  const path = require('node:path')
  const source = path.join(__dirname, '../src/cli/main.ts')
  const main = require('node:fs').existsSync(source) ? source : path.join(__dirname, '../dist/src/cli/main.js')
  void import(require('node:url').pathToFileURL(main).href)
}
