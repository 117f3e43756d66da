import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Callback, Database } from 'dynalite/db/index.js'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { guardDisk } from '../../src/embedded/disk-guard.ts'
import { makeDirectory } from '../../src/embedded/engine.ts'

describe('the data directory', () => {
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
})

describe('the disk guard', () => {
  const FULL = Object.assign(new Error('IO error: 000003.log: No space left on device'), {
    code: 'LEVEL_IO_ERROR',
  })

  /** A database in memory on a disk that the test fills. After a failed write it stays broken until it is reopened. */
  const setUp = () => {
    const items = new Map<string, unknown>()
    const disk = { isFull: false, isBroken: false, opens: 0, writes: 0, nowMs: 0 }
    const write = (change: () => void, done: Callback): void => {
      disk.writes++
      disk.isBroken ||= disk.isFull
      if (!disk.isBroken) change()
      done(disk.isBroken ? FULL : null)
    }
    const database: Database = {
      async open() {
        if (disk.isFull) throw FULL
        disk.opens++
        disk.isBroken = false
      },
      close: async () => {},
      put: (key, value, done) => write(() => items.set(key, value), done),
      del: (key, done) => write(() => items.delete(key), done),
      batch: (_, done) => write(() => {}, done),
      get: (key, done) => done(null, items.get(key)),
    }
    guardDisk(database, { hasRoom: async () => !disk.isFull, nowMs: () => disk.nowMs })
    const put = (key: string): Promise<unknown> =>
      new Promise((resolve) => database.put(key, key, (error) => resolve(error)))
    const get = (key: string): Promise<unknown> =>
      new Promise((resolve) => database.get(key, (_, value) => resolve(value)))
    return { disk, database, put, get }
  }

  test('a failed write is an InternalServerError that names the cause', async () => {
    const { disk, put } = setUp()
    expect(await put('a')).toBeNull()
    disk.isFull = true
    expect(await put('b')).toMatchObject({
      statusCode: 500,
      body: {
        __type: expect.stringContaining('InternalServerError'),
        message: expect.stringContaining('No space left on device'),
      },
    })
  })

  test('no write is attempted while there is no space, and reads continue', async () => {
    const { disk, put, get } = setUp()
    await put('a')
    disk.isFull = true
    await put('b')
    const before = disk.writes
    for (let turn = 0; turn < 3; turn++) {
      disk.nowMs += 1_000
      expect(await put('c')).toMatchObject({ statusCode: 500 })
    }
    expect([disk.writes, disk.opens, await get('a')]).toEqual([before, 0, 'a'])
  })

  test('the database is reopened after there is space again, before the next write', async () => {
    const { disk, put, get } = setUp()
    disk.isFull = true
    await put('a')
    disk.isFull = false
    expect(await put('b')).toMatchObject({ statusCode: 500 })
    disk.nowMs += 1_000
    expect(await Promise.all([put('c'), put('d')])).toEqual([null, null])
    expect(disk.opens).toBe(1)
    expect([await get('b'), await get('c'), await get('d')]).toEqual([undefined, 'c', 'd'])
  })

  test('a failed reopening is retried after a second', async () => {
    const { disk, database, put } = setUp()
    disk.isFull = true
    await put('a')
    disk.isFull = false
    const { open } = database
    Object.assign(database, { open: () => Promise.reject(new Error('still broken')) })
    disk.nowMs += 1_000
    expect(await put('b')).toMatchObject({ statusCode: 500 })
    Object.assign(database, { open })
    disk.nowMs += 1_000
    expect(await put('c')).toBeNull()
  })

  test('other results are passed through', async () => {
    const { database } = setUp()
    const missing = Object.assign(new Error('not found'), { name: 'NotFoundError' })
    const under: Database = { ...database, get: (_, done) => done(missing) }
    guardDisk(under, { hasRoom: async () => true, nowMs: () => 0 })
    expect(await new Promise((resolve) => under.get('a', resolve))).toBe(missing)
  })
})
