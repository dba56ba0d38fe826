#!/usr/bin/env -S node --max-semi-space-size=16
'use strict'
// oxlint-disable typescript/no-unsafe-assignment -- Plain JavaScript, which nothing types.
// Written so that an old Node can read it too, and say what is wrong. The flag above bounds the young generation of the heap; set later
// it has no effect any more.
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
  // In a clone of the repository Node runs the sources as they are; what is installed has been compiled.
  const path = require('node:path')
  const source = path.join(__dirname, '../src/cli/main.ts')
  const main = require('node:fs').existsSync(source) ? source : path.join(__dirname, '../dist/src/cli/main.js')
  void import(require('node:url').pathToFileURL(main).href)
}
