'use strict'
// Loaded before everything else (`node -r`), on any version of Node.js and before anything is installed: it needs no
// package and no recent syntax. Prints one line instead of the stack trace that would follow.
const { existsSync } = require('node:fs')
const { join } = require('node:path')
const { engines } = require('../package.json')

const fail = (line) => {
  process.stderr.write(`zael: ${line}\n`)
  process.exit(1)
}

const numbersIn = (text) => text.match(/\d+/g).map(Number)

const [leastMajor, leastMinor] = numbersIn(engines.node)
const [major, minor] = numbersIn(process.versions.node)
if (major < leastMajor || (major === leastMajor && minor < leastMinor)) {
  fail(
    `Node.js ${leastMajor}.${leastMinor} or later is needed, and this is ${process.versions.node}: install it from https://nodejs.org`,
  )
}
if (!existsSync(join(__dirname, '../node_modules/tsx'))) fail('the packages are not installed: run npm ci')
