#!/usr/bin/env -S node --max-semi-space-size=16
'use strict'
// Written so that even a Node of ten years ago can read it, and say what is wrong. The flag above bounds the young generation of the heap; set later
// it has no effect any more.
var needed = [24, 9]
var found = process.versions.node.split('.').map(Number)
if (found[0] < needed[0] || (found[0] === needed[0] && found[1] < needed[1])) {
  console.error('sluice: this Node is ' + process.versions.node + ' (' + process.execPath + '), and ' + needed.join('.') + ' or newer is needed. Install it, or put it first on your PATH')
  process.exitCode = 2
} else {
  // In a clone of the repository Node runs the sources as they are; what is installed has been compiled.
  var path = require('node:path')
  var source = path.join(__dirname, '../src/cli/main.ts')
  var main = require('node:fs').existsSync(source) ? source : path.join(__dirname, '../dist/src/cli/main.js')
  void import(require('node:url').pathToFileURL(main).href)
}
