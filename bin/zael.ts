#!/usr/bin/env node
import { readFile } from 'node:fs/promises'
import { createInterface } from 'node:readline/promises'
import { setTimeout as pause } from 'node:timers/promises'
import type { Host } from '../cli/host.ts'
import { run } from '../cli/program.ts'
import { zaelVersion } from './version.ts'
import { programsOf } from './zael/programs.ts'

const ask = async (question: string): Promise<string> => {
  const lines = createInterface({ input: process.stdin, output: process.stderr })
  try {
    return await lines.question(question)
  } finally {
    lines.close()
  }
}

const wait = async (ms: number, signal: AbortSignal): Promise<void> => {
  await pause(ms, undefined, { signal }).catch((error: unknown) => {
    if (!signal.aborted) throw error
  })
}

const stopSignal = (): AbortSignal => {
  const stopping = new AbortController()
  process.on('SIGINT', () => stopping.abort())
  process.on('SIGTERM', () => stopping.abort())
  return stopping.signal
}

const host: Host = {
  environment: process.env,
  stdout: process.stdout,
  stderr: process.stderr,
  stdin: process.stdin,
  fetch,
  readFile: (path) => readFile(path, 'utf8'),
  ask,
  nowMs: Date.now,
  wait,
  stopSignal,
}

const version = zaelVersion()
process.exitCode = await run(process.argv.slice(2), host, { version, programs: programsOf(version) })
