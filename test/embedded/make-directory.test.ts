import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { makeDirectory } from '../../src/embedded/engine.ts'

let root = ''

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'zael-directory-'))
})

afterEach(() => rmSync(root, { recursive: true }))

test('makes what is missing, and leaves what is there', () => {
  makeDirectory(join(root, 'a', 'b'))
  makeDirectory(join(root, 'a', 'b'))
  makeDirectory(root)
  expect(existsSync(join(root, 'a', 'b'))).toBe(true)
})

test('says what is in the way', () => {
  writeFileSync(join(root, 'file'), '')
  expect(() => makeDirectory(join(root, 'file'))).toThrow('EEXIST')
  expect(() => makeDirectory(join(root, 'file', 'below'))).toThrow(
    // Node 24 names what is in the way, Node 20 what it is not
    /ENOTDIR|EEXIST/,
  )
})

test.runIf(existsSync('/proc/self'))('gives up where no directory can be made', () => {
  expect(() => makeDirectory('/proc/zael/data')).toThrow('ENOENT')
})
