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

test('missing directories are created, and existing ones kept', () => {
  makeDirectory(join(root, 'a', 'b'))
  makeDirectory(join(root, 'a', 'b'))
  makeDirectory(root)
  expect(existsSync(join(root, 'a', 'b'))).toBe(true)
})

test('the error names the blocking path', () => {
  writeFileSync(join(root, 'file'), '')
  expect(() => makeDirectory(join(root, 'file'))).toThrow('EEXIST')
  expect(() => makeDirectory(join(root, 'file', 'below'))).toThrow(
    // Node 24 names the blocking path, Node 20 the missing directory
    /ENOTDIR|EEXIST/,
  )
})

test.runIf(existsSync('/proc/self'))('the call fails if no directory can be created', () => {
  expect(() => makeDirectory('/proc/zael/data')).toThrow('ENOENT')
})
